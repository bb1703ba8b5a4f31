// Copies the pinned third-party files that are served: `npm ci && npm run vendor`.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";

const modules = new URL("../node_modules/", import.meta.url);
const vendor = new URL("./static/vendor/", import.meta.url);

const ICONS = [
  "arrow-left", "arrow-right", "audio-lines", "bell", "building-2", "calendar-clock",
  "chart-column", "check", "chevron-down", "chevron-left", "chevron-right", "chevrons-up-down",
  "circle-alert", "circle-check", "circle-help", "clock", "cloud-upload", "copy", "download",
  "ellipsis", "external-link", "eye", "eye-off", "file-audio", "gauge", "globe", "headphones",
  "history", "image", "info", "key-round", "layout-dashboard", "list-music", "loader-circle",
  "log-out", "mail", "menu", "mic", "monitor", "moon", "pause", "pencil", "play", "plus", "podcast",
  "radio", "radio-tower", "rotate-ccw", "rotate-cw", "rss", "search", "send", "server",
  "settings", "share-2", "shield-check", "smartphone", "sun", "sun-moon", "trash-2",
  "triangle-alert", "undo-2", "upload", "user", "user-plus", "users", "wifi", "wifi-off", "x",
];

const FONTS = {
  "archivo-latin.woff2": "archivo-latin-wdth-normal.woff2",
  "archivo-latin-ext.woff2": "archivo-latin-ext-wdth-normal.woff2",
};

async function symbolOf(name) {
  const svg = await readFile(new URL(`lucide-static/icons/${name}.svg`, modules), "utf8");
  const body = svg.replace(/<!--.*?-->/s, "").match(/<svg[^>]*>(.*)<\/svg>/s)[1];
  const shapes = body.split("\n").map((line) => line.trim()).filter(Boolean).join("");
  return `<symbol id="${name}" viewBox="0 0 24 24">${shapes}</symbol>`;
}

async function vendorIcons() {
  const folder = new URL("lucide/", vendor);
  await mkdir(folder, { recursive: true });
  const symbols = await Promise.all(ICONS.map(symbolOf));
  const sprite = `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
  await writeFile(new URL("icons.svg", folder), sprite);
  await copyFile(new URL("lucide-static/LICENSE", modules), new URL("LICENSE", folder));
}

async function vendorFonts() {
  const source = new URL("@fontsource-variable/archivo/", modules);
  const folder = new URL("archivo/", vendor);
  await mkdir(folder, { recursive: true });
  await copyFile(new URL("LICENSE", source), new URL("LICENSE", folder));
  for (const [to, from] of Object.entries(FONTS)) {
    await copyFile(new URL(`files/${from}`, source), new URL(to, folder));
  }
}

/** SHA-256 where the browser has no crypto.subtle: on plain HTTP, as in a home network. */
async function vendorHashes() {
  const source = new URL("@noble/hashes/", modules);
  const folder = new URL("noble-hashes/", vendor);
  await mkdir(folder, { recursive: true });
  for (const name of ["LICENSE", "sha2.js", "_md.js", "_u64.js", "utils.js"]) {
    await copyFile(new URL(name, source), new URL(name, folder));
  }
}

await Promise.all([vendorIcons(), vendorFonts(), vendorHashes()]);
