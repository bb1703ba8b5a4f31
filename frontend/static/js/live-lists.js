// Lists that a live message fills: the latest downloads, and tables of shows, episodes, apps and countries.
import { grouped } from "./numbers.js";
import { ago, localise } from "./times.js";

const LATEST_SHOWN = 12;
const SVG = "http://www.w3.org/2000/svg";

export function element(tag, { text = "", ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(text, ...children);
  return made;
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

export function updateLatest(list, latest = []) {
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
  if (!items.length) {
    list.replaceChildren(element("li", { text: "No downloads yet today.", class: "muted small" }));
    return;
  }
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

const plain = (item) => element("span", { text: item.name, class: "bars__name truncate" });
const count = (item) => item.count;
const today = (item) => item.today;

/** A list may say where its names lead: data-live-link="/studio/shows/". */
function linked(list) {
  const folder = list?.dataset.liveLink;
  const address = (item) => (folder ? `${folder}${item.id}/` : item.url && new URL(item.url, location.href).pathname);
  return (item) =>
    address(item)
      ? element("a", { text: item.title, href: address(item), class: "bars__name truncate" })
      : element("span", { text: item.title, class: "bars__name truncate" });
}

export function updateRankings(root, message) {
  const shows = root.querySelector("[data-live-shows]");
  const episodes = root.querySelector("[data-live-episodes]");
  ranked(root.querySelector("[data-live-apps]"), message.apps, plain, count);
  ranked(root.querySelector("[data-live-countries]"), message.countries, plain, count);
  ranked(shows, message.shows, linked(shows), today);
  ranked(episodes, message.top_episodes, linked(episodes), today);
}
