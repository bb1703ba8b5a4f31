// Charts that can be walked: arrow keys and pointers find every point, a tooltip shows its numbers.
// [data-plot] holds targets (.plot__target or [data-target]) in the order of reading; what a target
// says stands in its title, line by line. One target of a chart is in the tab order at a time.
import { counted } from "./numbers.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
const HOURS = 24;

const targetsOf = (plot) => [...plot.querySelectorAll(".plot__target, [data-target]")];

/** Native tooltips would come on top of ours; the words become the accessible name. */
function takeWords(target) {
  const title = target.querySelector("title");
  const words = title?.textContent ?? target.title;
  title?.remove();
  target.removeAttribute("title");
  target.dataset.words = words;
  name(target);
}

const name = (target) => target.setAttribute("aria-label", target.dataset.words.replaceAll("\n", ", "));

/** On a live page: the downloads in the second line of what a target says are others now. */
export function recount(target, count) {
  const [first, before, ...rest] = target.dataset.words.split("\n");
  if (before === counted(count)) return;
  target.dataset.words = [first, counted(count), ...rest].join("\n");
  if (target.dataset.shown !== undefined) show(target);
  // A screen reader would say each new name of what has the focus: its name waits until that leaves.
  if (document.activeElement !== target) name(target);
}

function prepare(plot) {
  if (plot.dataset.plot === "ready") return;
  plot.dataset.plot = "ready";
  const targets = targetsOf(plot);
  for (const target of targets) {
    takeWords(target);
    target.setAttribute("tabindex", "-1");
  }
  targets.at(-1)?.setAttribute("tabindex", "0");
}

function line(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function place(tip, plot, target) {
  const frame = plot.getBoundingClientRect();
  const box = target.getBoundingClientRect();
  const centre = box.left + box.width / 2 - frame.left;
  const left = Math.min(Math.max(centre - tip.offsetWidth / 2, 0), frame.width - tip.offsetWidth);
  const isCell = target.matches("[data-target]");
  const above = box.top - frame.top - tip.offsetHeight - 8;
  tip.style.left = `${left}px`;
  tip.style.top = `${isCell ? Math.max(above, -tip.offsetHeight) : -tip.offsetHeight + 12}px`;
}

function show(target) {
  const plot = target.closest("[data-plot]");
  hide(plot);
  const [first, ...rest] = target.dataset.words.split("\n");
  const tip = document.createElement("div");
  tip.className = "plot__tip";
  tip.setAttribute("aria-hidden", "true");
  tip.append(line("strong", first), ...rest.map((text) => line("span", text)));
  plot.append(tip);
  target.dataset.shown = "";
  place(tip, plot, target);
}

function hide(plot) {
  plot.querySelector(".plot__tip")?.remove();
  delete plot.querySelector("[data-shown]")?.dataset.shown;
}

function move(target, step) {
  const targets = targetsOf(target.closest("[data-plot]"));
  const next = targets[Math.min(Math.max(targets.indexOf(target) + step, 0), targets.length - 1)];
  target.setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
}

function stepOf(event, target) {
  if (event.key === "Home") return -Infinity;
  if (event.key === "End") return Infinity;
  // In the table of the week, up and down are the days; in a chart they move like left and right.
  if (event.key === "ArrowUp") return target.matches("[data-target]") ? -HOURS : 1;
  if (event.key === "ArrowDown") return target.matches("[data-target]") ? HOURS : -1;
  return STEPS[event.key];
}

const targetOf = (event) => event.target.closest?.(".plot__target, [data-target]");

document.addEventListener("keydown", (event) => {
  const target = targetOf(event);
  if (!target) return;
  if (event.key === "Escape") {
    hide(target.closest("[data-plot]"));
    return;
  }
  const step = stepOf(event, target);
  if (step === undefined) return;
  event.preventDefault();
  move(target, step);
});

for (const kind of ["focusin", "pointerover", "pointerdown"]) {
  document.addEventListener(kind, (event) => {
    const target = targetOf(event);
    if (target?.dataset.words !== undefined) show(target);
  });
}

for (const kind of ["focusout", "pointerout"]) {
  document.addEventListener(kind, (event) => {
    const target = targetOf(event);
    if (!target || target.matches(":focus")) return;
    hide(target.closest("[data-plot]"));
    if (target.dataset.words !== undefined) name(target);
  });
}

function prepareAll() {
  for (const plot of document.querySelectorAll("[data-plot]")) prepare(plot);
}

prepareAll();
document.addEventListener("htmx:load", prepareAll);
