// Runs before the first paint, so that a chosen theme never flashes. Everything else is in theme.js.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is denied: the device's own preference stands.
}
document.documentElement.dataset.js = "";
