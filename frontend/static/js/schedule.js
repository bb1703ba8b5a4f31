// Dates are stored in UTC; input[data-utc] shows and takes them in the reader's own zone.
const pad = (number) => String(number).padStart(2, "0");
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();

/** The local time as <input type="datetime-local"> wants it. */
export function localValue(moment) {
  const day = [moment.getFullYear(), pad(moment.getMonth() + 1), pad(moment.getDate())].join("-");
  return `${day}T${pad(moment.getHours())}:${pad(moment.getMinutes())}`;
}

function localise(root) {
  for (const input of root.querySelectorAll("input[data-utc]")) {
    const moment = new Date(input.dataset.utc);
    if (!Number.isNaN(moment.getTime())) input.value = localValue(moment);
  }
  for (const input of root.querySelectorAll("input[data-timezone]")) input.value = timeZone;
  for (const name of root.querySelectorAll("[data-zone-name]")) name.textContent = timeZone.replaceAll("_", " ");
}

localise(document);
document.addEventListener("htmx:afterSwap", (event) => localise(event.target));
