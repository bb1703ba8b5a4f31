// The bars of the last hour, one for each minute: same geometry as components/minutes.html.
import { grouped } from "./numbers.js";

/** `figure` holds [data-minute] rects, [data-hour-total] and [data-hour-most]. */
export function updateHour(figure, minutes) {
  if (!figure || !minutes) return;
  const svg = figure.querySelector("svg");
  const height = svg.viewBox.baseVal.height;
  const most = Math.max(...minutes);
  svg.querySelectorAll("[data-minute]").forEach((bar, index) => {
    const size = most ? (minutes[index] / most) * height : 0;
    bar.setAttribute("y", height - size);
    bar.setAttribute("height", size);
  });
  write(figure.querySelector("[data-hour-total]"), minutes.reduce((sum, count) => sum + count, 0));
  write(figure.querySelector("[data-hour-most]"), most);
}

function write(element, number) {
  const text = grouped(number);
  if (element && element.textContent !== text) element.textContent = text;
}
