// <time data-local="date | datetime | time | ago">: shown in the reader's zone and language.
const FORMATS = {
  date: { dateStyle: "medium" },
  datetime: { dateStyle: "medium", timeStyle: "short" },
  time: { timeStyle: "short" },
};
const STEPS = [
  [60, "second"],
  [60, "minute"],
  [24, "hour"],
  [30, "day"],
];
const language = document.documentElement.lang || "en";
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const formatters = Object.fromEntries(
  Object.entries(FORMATS).map(([name, options]) => [name, new Intl.DateTimeFormat(undefined, options)]),
);
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/** "5 minutes ago", "in 2 hours"; after a month the date itself. */
export function ago(moment, now = Date.now()) {
  let amount = (moment.getTime() - now) / 1000;
  for (const [size, unit] of STEPS) {
    if (Math.abs(amount) < size) return relative.format(Math.round(amount), unit);
    amount /= size;
  }
  return formatters.date.format(moment);
}

function show(element) {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  const style = element.dataset.local;
  const text = style === "ago" ? ago(moment) : formatters[style].format(moment);
  if (element.textContent !== text) element.textContent = text;
  element.title ||= full.format(moment);
}

/** Shows all times inside `root`; call it for markup that a script has added. */
export function localise(root = document) {
  for (const element of root.querySelectorAll("time[data-local]")) show(element);
}

localise();
document.addEventListener("htmx:load", (event) => localise(event.target.parentElement ?? document));
setInterval(() => {
  for (const element of document.querySelectorAll('time[data-local="ago"]')) show(element);
}, 30_000);

// Forms with times send the zone they were typed in: <input type="hidden" name="timezone" data-timezone>.
for (const input of document.querySelectorAll("input[data-timezone]")) {
  input.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
}
