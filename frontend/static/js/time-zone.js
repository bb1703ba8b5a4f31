// A new show's days end at midnight where its maker sits, unless they say otherwise.
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();

for (const input of document.querySelectorAll("input[data-propose-zone]")) {
  const isKnown = [...input.list.options].some((option) => option.value === timeZone);
  if (isKnown && input.value === input.defaultValue && input.defaultValue === "UTC") input.value = timeZone;
}
