// The bars of the last hour, one for each minute: same geometry as components/minutes.html.
import { grouped } from "./numbers.js";
import { recount } from "./walk.js";

/** `figure` holds bars with their targets, a table that begins with the last of them, and two sums. */
export function updateHour(figure, minutes) {
  if (!figure || !minutes) return;
  const svg = figure.querySelector("svg");
  const height = svg.viewBox.baseVal.height;
  const most = Math.max(...minutes);
  svg.querySelectorAll(".hour__bar").forEach((bar, index) => {
    const size = most ? (minutes[index] / most) * height : 0;
    bar.setAttribute("y", height - size);
    bar.setAttribute("height", size);
  });
  svg.querySelectorAll(".plot__target").forEach((target, index) => recount(target, minutes[index]));
  figure.querySelectorAll("tbody td").forEach((cell, index) => write(cell, minutes.at(-1 - index)));
  write(figure.querySelector("[data-hour-total]"), minutes.reduce((sum, count) => sum + count, 0));
  write(figure.querySelector("[data-hour-most]"), most);
}

function write(element, number) {
  const text = grouped(number);
  if (element && element.textContent !== text) element.textContent = text;
}
