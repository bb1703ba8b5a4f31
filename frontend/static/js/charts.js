// Redraws a server-rendered bar chart when a number in it grows: same geometry as templatetags/charts.py.
import { grouped } from "./numbers.js";
import { recount } from "./walk.js";

const FACTORS = [1, 2, 4, 5];

export function niceCeiling(highest) {
  for (let step = 1; ; step *= 10) {
    for (const factor of FACTORS) {
      if (factor * step >= highest && (factor * step) % 2 === 0) return Math.max(factor * step, 4);
    }
  }
}

function layOut(svg, top) {
  const plotTop = Number(svg.dataset.plotTop);
  const plotHeight = Number(svg.dataset.plotHeight);
  for (const bar of svg.querySelectorAll("[data-value]")) {
    const share = Number(bar.dataset.value) / top;
    bar.setAttribute("y", plotTop + plotHeight * (1 - share));
    bar.setAttribute("height", plotHeight * share);
  }
}

function relabel(svg, top) {
  for (const mark of svg.querySelectorAll("[data-share]")) {
    mark.textContent = grouped((top * Number(mark.dataset.share)) / 2);
  }
}

/** Gives the last bar of the chart inside `figure` a new value; the scale grows when it must. */
export function setLastBar(figure, value) {
  const svg = figure?.querySelector("[data-chart]");
  const last = svg?.querySelector(".chart__bar--last");
  if (!last || Number(last.dataset.value) === value) return;
  last.dataset.value = value;
  recount([...svg.querySelectorAll(".plot__target")].at(-1), value);
  const values = [...svg.querySelectorAll("[data-value]")].map((bar) => Number(bar.dataset.value));
  const top = Math.max(niceCeiling(Math.max(...values)), Number(svg.dataset.top));
  if (top !== Number(svg.dataset.top)) {
    svg.dataset.top = top;
    relabel(svg, top);
  }
  layOut(svg, top);
  const row = figure.querySelector("tbody tr:last-child td");
  if (row) row.textContent = grouped(value);
}
