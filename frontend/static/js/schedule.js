// Dates are stored in UTC; input[data-utc] shows and takes them in the reader's own zone.
const pad = (number) => String(number).padStart(2, "0");

/** The local time as <input type="datetime-local"> wants it. */
export function localValue(moment) {
  const day = [moment.getFullYear(), pad(moment.getMonth() + 1), pad(moment.getDate())].join("-");
  return `${day}T${pad(moment.getHours())}:${pad(moment.getMinutes())}`;
}

for (const input of document.querySelectorAll("input[data-utc]")) {
  const moment = new Date(input.dataset.utc);
  if (!Number.isNaN(moment.getTime())) input.value = localValue(moment);
}

const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
for (const element of document.querySelectorAll("[data-zone-name]")) element.textContent = timeZone.replaceAll("_", " ");
