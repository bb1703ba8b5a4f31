// A live page: <section data-live data-socket="/live/shows/…/" data-stream="/api/v1/shows/…/live"
// data-poll="/api/v1/shows/…/live/state/" data-shown="{what the page begins with}">. Inside it:
// [data-live-value="today | week | month | total | listeners_now | bytes_per_second"], [data-live-hour]
// (components/minutes.html), [data-live-latest], [data-live-apps], -countries, -shows, -episodes (lists),
// [data-live-episode="<id>"] (an episode's total), [data-live-chart] (its last bar is today),
// [data-live-health], [data-live-indicator] and [data-live-voice].
import { setLastBar } from "./charts.js";
import { LiveFeed, indicate } from "./live.js";
import { updateHealth } from "./live-health.js";
import { updateHour } from "./live-hour.js";
import { updateLatest, updateRankings } from "./live-lists.js";
import { Order } from "./live-order.js";
import { Voice } from "./live-voice.js";
import { dataSize, rollTo } from "./numbers.js";

const writers = { bytes_per_second: (bytes) => `${dataSize(bytes)}/s` };

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

function update(root, message, shown) {
  updateValues(root, message);
  updateEpisodes(root, message.episodes);
  updateHour(root.querySelector("[data-live-hour]"), message.minutes);
  updateLatest(root.querySelector("[data-live-latest]"), message.latest);
  updateRankings(root, message);
  updateHealth(root.querySelector("[data-live-health]"), message.health);
  const chart = root.querySelector("[data-live-chart]");
  // After midnight the last bar is yesterday's, until the page is loaded again.
  const isItsDay = message.day_ends_at === shown.day_ends_at;
  if (chart && isItsDay && typeof message.today === "number") setLastBar(chart, message.today);
}

for (const root of document.querySelectorAll("[data-live]")) {
  const { socket, stream, poll } = root.dataset;
  const shown = JSON.parse(root.dataset.shown);
  const order = new Order(shown);
  const voice = new Voice(root.querySelector("[data-live-voice]"), shown);
  const feed = new LiveFeed({ socket, stream, poll, pauses: true });
  feed.addEventListener("message", ({ detail }) => {
    const message = detail.type === "heartbeat" ? null : order.accept(detail);
    if (!message) return;
    update(root, message, shown);
    voice.note(message);
  });
  indicate(feed, root.querySelector("[data-live-indicator]"));
  feed.open();
}
