// Small help in forms: the chosen picture at once, letters left, and no second submit of the same form.
const counters = new WeakMap();

function preview(input) {
  const image = document.getElementById(input.dataset.preview);
  const [file] = input.files;
  if (!image || !file?.type.startsWith("image/")) return;
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(file);
  image.hidden = false;
}

/** Counts only near the limit: a number that always changes is noise. */
function count(field) {
  const left = field.maxLength - field.value.length;
  let line = counters.get(field);
  if (!line) {
    if (left > field.maxLength / 5) return;
    line = document.createElement("div");
    line.className = "field__count";
    field.after(line);
    counters.set(field, line);
  }
  line.textContent = left <= field.maxLength / 5 ? `${left} characters left` : "";
  line.toggleAttribute("data-over", left <= 0);
}

document.addEventListener("change", (event) => {
  if (event.target.matches('input[type="file"][data-preview]')) preview(event.target);
});

document.addEventListener("input", (event) => {
  if (event.target.matches("textarea[maxlength], input[maxlength][data-count]")) count(event.target);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent !== undefined) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "";
  event.submitter?.setAttribute("aria-disabled", "true");
});

// Back from the history: the page is as it was left, so forms must be usable again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll('button[aria-disabled="true"]')) button.removeAttribute("aria-disabled");
});
