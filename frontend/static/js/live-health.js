// The platform's health: processes, queues and busy tenants, in the markup of platform/_health.html.
import { dataSize, grouped } from "./numbers.js";
import { localise } from "./times.js";

const WRITERS = {
  rss_bytes: dataSize,
  hits_spooled_bytes: dataSize,
  pid: String,
  cpu_percent: (share) => `${share}%`,
  error_percent: (share) => `${share}%`,
  loop_lag_ms: (lag) => (lag === null ? "—" : `${grouped(lag)} ms`),
  hits_lag_seconds: (seconds) => `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`,
  responses_per_second: (rate) => (rate < 10 ? rate.toFixed(1) : grouped(rate)),
  bytes_per_second: (bytes) => `${dataSize(bytes)}/s`,
};

function fill(place, facts) {
  for (const target of place.querySelectorAll("[data-fact]")) {
    const name = target.dataset.fact;
    if (!(name in facts)) continue;
    const write = WRITERS[name] ?? ((value) => (typeof value === "number" ? grouped(value) : value));
    const text = write(facts[name]);
    if (target.textContent !== text) target.textContent = text;
  }
}

/** Rows by key: those that are there are filled, others made from the template or removed. */
function rows(body, template, items, keyOf, finish = () => {}) {
  if (!body) return;
  const known = new Map([...body.querySelectorAll("[data-key]")].map((row) => [row.dataset.key, row]));
  const wanted = items.map((item) => {
    const row = known.get(keyOf(item)) ?? template.content.firstElementChild.cloneNode(true);
    row.dataset.key = keyOf(item);
    fill(row, item);
    finish(row, item);
    return row;
  });
  const isSame = wanted.length === known.size && wanted.every((row, index) => row === body.children[index]);
  if (!isSame) body.replaceChildren(...wanted);
}

function finishProcess(row, process) {
  row.classList.toggle("is-gone", process.is_gone);
  row.querySelector("[data-gone]").hidden = !process.is_gone;
  const time = row.querySelector("time");
  if (time && time.getAttribute("datetime") !== process.started_at) {
    time.setAttribute("datetime", process.started_at);
    localise(row);
  }
}

export function updateHealth(section, health) {
  if (!section || !health) return;
  fill(section.querySelector("[data-health-figures]"), health);
  for (const [name, items] of Object.entries({ processes: health.processes, tenants: health.tenants })) {
    const part = section.querySelector(`[data-health="${name}"]`);
    part.querySelector("[data-empty]").hidden = items.length > 0;
    part.querySelector("[data-filled]").hidden = items.length === 0;
    const body = part.querySelector("tbody");
    const template = part.querySelector("template");
    if (name === "processes") rows(body, template, items, (process) => process.name, finishProcess);
    else rows(body, template, items, (tenant) => tenant.id);
  }
}
