// The colour switch: as the device, light, dark; kept in this browser.
const ORDER = ["auto", "light", "dark"];
const WORDS = { auto: "Colours: as the device", light: "Colours: light", dark: "Colours: dark" };
const root = document.documentElement;

const chosen = () => root.dataset.theme ?? "auto";

function remember(theme) {
  try {
    if (theme === "auto") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // Storage is denied: the choice lasts as long as the page.
  }
}

function describe() {
  for (const label of document.querySelectorAll("[data-theme-label]")) {
    label.textContent = WORDS[chosen()];
  }
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-switch]")) return;
  const theme = ORDER[(ORDER.indexOf(chosen()) + 1) % ORDER.length];
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  remember(theme);
  describe();
});

describe();
