// Toasts: the server's messages, and those of scripts. They leave by themselves unless one points at them,
// except errors and those with an undo, which a slow reader must be able to reach (WCAG 2.2.1).
const STAY_MS = 7000;
const region = document.getElementById("toasts");

function leaveLater(toast) {
  if (toast.matches(".toast--error") || toast.querySelector("form")) return;
  let timer = setTimeout(() => toast.remove(), STAY_MS);
  const wait = () => clearTimeout(timer);
  const go = () => {
    clearTimeout(timer);
    timer = setTimeout(() => toast.remove(), STAY_MS);
  };
  toast.addEventListener("pointerenter", wait);
  toast.addEventListener("focusin", wait);
  toast.addEventListener("pointerleave", go);
  toast.addEventListener("focusout", go);
}

/** Shows a toast. `level` is info, success, warning or error. */
export function toast(text, level = "info") {
  const template = document.getElementById("toast-template");
  if (!region || !template) return;
  const element = template.content.firstElementChild.cloneNode(true);
  element.className = `toast toast--${level}`;
  element.querySelector("[data-toast-text]").textContent = text;
  region.append(element);
  leaveLater(element);
}

/** Says something to screen readers only. */
export function announce(text) {
  let line = document.getElementById("announcer");
  if (!line) {
    line = document.createElement("p");
    line.id = "announcer";
    line.className = "visually-hidden";
    line.setAttribute("role", "status");
    document.body.append(line);
  }
  line.textContent = "";
  requestAnimationFrame(() => (line.textContent = text));
}

for (const element of region?.querySelectorAll("[data-toast]") ?? []) leaveLater(element);

document.addEventListener("click", (event) => {
  event.target.closest("[data-toast-close]")?.closest("[data-toast]").remove();
});

// A view answers htmx with `HX-Trigger: {"toast": {"text": "Saved", "level": "success"}}`.
document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.level));

document.addEventListener("htmx:sendError", () => toast("The server can't be reached. Nothing was changed.", "error"));
document.addEventListener("htmx:responseError", () => toast("That did not work. Reload the page and try again.", "error"));
