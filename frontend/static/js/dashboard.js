// A live dashboard: <section data-live data-socket="/live/shows/…/" data-poll="/api/v1/shows/…/live/">.
// Inside it: [data-live-value="today | total | week | listeners_now | bytes_per_second"], [data-live-latest]
// (a list), [data-live-episode="<id>"] (an episode's total), [data-live-chart] (its last bar is today),
// [data-live-apps] and [data-live-shows] (lists of the platform's page), [data-live-indicator].
import { setLastBar } from "./charts.js";
import { LiveFeed, indicate } from "./live.js";
import { dataSize, grouped, rollTo } from "./numbers.js";
import { ago, localise } from "./times.js";

const LATEST_SHOWN = 12;
const SVG = "http://www.w3.org/2000/svg";
const writers = { bytes_per_second: (bytes) => `${dataSize(bytes)}/s` };

function element(tag, { text = "", ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(text, ...children);
  return made;
}

function updateValues(root, message) {
  for (const target of root.querySelectorAll("[data-live-value]")) {
    const name = target.dataset.liveValue;
    if (typeof message[name] === "number") rollTo(target, message[name], writers[name]);
  }
}

function updateEpisodes(root, totals = {}) {
  for (const target of root.querySelectorAll("[data-live-episode]")) {
    const total = totals[target.dataset.liveEpisode];
    if (typeof total === "number") rollTo(target, total);
  }
}

/** What tells one download in the list from another: messages overlap. */
const keyOf = (download) => download.id;

function row(download) {
  const moment = new Date(download.at);
  const time = element("time", { text: ago(moment), datetime: download.at, "data-local": "ago", class: "muted" });
  const details = [download.show, download.app || "Unknown app", download.device, download.country_name];
  return element(
    "li",
    { "data-key": keyOf(download) },
    element("strong", { text: download.episode, class: "truncate" }),
    time,
    element("span", { text: details.filter(Boolean).join(" · "), class: "muted truncate" }),
  );
}

function updateLatest(list, latest = []) {
  if (!list || latest.length === 0) return;
  const known = new Set([...list.querySelectorAll("[data-key]")].map((item) => item.dataset.key));
  const isFirst = known.size === 0;
  list.querySelector("[data-live-empty]")?.remove();
  for (const download of latest.slice(0, LATEST_SHOWN).reverse()) {
    if (known.has(keyOf(download))) continue;
    const item = row(download);
    if (!isFirst) item.classList.add("ticker__new");
    list.prepend(item);
  }
  while (list.children.length > LATEST_SHOWN) list.lastElementChild.remove();
  localise(list);
}

function track(share) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ class: "bars__track", width: "100%", height: 6, "aria-hidden": true })) {
    svg.setAttribute(name, value);
  }
  for (const width of [1, share]) {
    const bar = document.createElementNS(SVG, "rect");
    bar.setAttribute("width", `${width * 100}%`);
    bar.setAttribute("height", 6);
    svg.append(bar);
  }
  return svg;
}

function ranked(list, items, nameOf, countOf) {
  if (!list || !items) return;
  const highest = Math.max(1, ...items.map(countOf));
  list.replaceChildren(
    ...items.map((item) =>
      element(
        "li",
        { class: "bars__row" },
        nameOf(item),
        element("span", { text: grouped(countOf(item)), class: "bars__value" }),
        track(countOf(item) / highest),
      ),
    ),
  );
}

const appName = (app) => element("span", { text: app.name, class: "bars__name truncate" });
const showName = (show) =>
  element("a", { text: show.title, href: new URL(show.url, location.href).pathname, class: "bars__name truncate" });

function update(root, message) {
  updateValues(root, message);
  updateEpisodes(root, message.episodes);
  updateLatest(root.querySelector("[data-live-latest]"), message.latest);
  ranked(root.querySelector("[data-live-apps]"), message.apps, appName, (app) => app.count);
  ranked(root.querySelector("[data-live-shows]"), message.shows, showName, (show) => show.today);
  const chart = root.querySelector("[data-live-chart]");
  if (chart && typeof message.today === "number") setLastBar(chart, message.today);
}

for (const root of document.querySelectorAll("[data-live]")) {
  const feed = new LiveFeed({ socket: root.dataset.socket, poll: root.dataset.poll });
  feed.addEventListener("message", (event) => update(root, event.detail));
  indicate(feed, root.querySelector("[data-live-indicator]") ?? document.querySelector("[data-live-indicator]"));
  feed.open();
}
