// Runs before the first paint and before any style sheet is there.
// A chosen theme never flashes so. Everything else of it is in theme.js.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is denied: the device's own preference stands.
}
document.documentElement.dataset.js = "";

// Pages change into one another. In a style sheet of its own this would be missing while others are already there,
// and Chromium gives a transition up then and reports an error.
if ("adoptedStyleSheets" in document) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("@media (prefers-reduced-motion: no-preference) { @view-transition { navigation: auto; } }");
  document.adoptedStyleSheets = [sheet];
}
