// The API's reference: a field that filters the list of operations, and buttons that copy samples.
import { announce } from "./toasts.js";

const SHOWN_MS = 2000;

function filter(input) {
  const rows = [...document.querySelectorAll(input.dataset.filter)];
  const count = document.getElementById(input.getAttribute("aria-describedby"));
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    for (const group of document.querySelectorAll("[data-group]")) {
      group.hidden = !group.querySelector("[data-row]:not([hidden])");
    }
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = words.length ? `${shown} of ${rows.length} operations` : "";
  });
}

function copyButton(sample) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn--quiet btn--small sample__copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(sample.querySelector("pre").textContent);
    button.textContent = "Copied";
    announce("Copied to the clipboard");
    setTimeout(() => (button.textContent = "Copy"), SHOWN_MS);
  });
  sample.append(button);
}

for (const input of document.querySelectorAll("[data-filter]")) filter(input);
if (navigator.clipboard) {
  for (const sample of document.querySelectorAll("figure.sample")) copyButton(sample);
}
// On a phone the long list would stand before the text.
if (matchMedia("(max-width: 63.99rem)").matches) {
  document.querySelector(".reference__menu")?.removeAttribute("open");
}
