// A new show's handle follows its title until somebody types one; the address below shows it.
const field = document.querySelector("[data-handle]");
const input = field?.querySelector("input");
const title = field && document.getElementById(field.dataset.title);
const shown = field?.querySelector("[data-handle-shown]");
const MAX = 64;

/** As the server proposes it: ASCII letters and digits, joined by hyphens. */
export function proposed(text) {
  const ascii = text.normalize("NFKD").replace(/[^\x20-\x7e]/g, "").toLowerCase();
  const words = ascii.replace(/[^a-z0-9\s_-]/g, "").replace(/[\s_-]+/g, "-");
  return words.replace(/^-+/, "").slice(0, MAX).replace(/-+$/, "");
}

function show() {
  shown.textContent = input.value || "…";
}

if (input) {
  let follows = input.value === "";
  const follow = () => {
    if (!follows) return;
    input.value = proposed(title.value);
    show();
  };
  title.addEventListener("input", follow);
  input.addEventListener("input", () => {
    follows = input.value === "";
    show();
  });
  follow(); // on a slow line the title may be there before this script
}
