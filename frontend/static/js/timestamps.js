// Times in an episode's notes ("12:30 The diary") become buttons that make the player jump there.
const TIME = /(?<![\d:])(?:(\d{1,2}):)?(\d{1,2}):(\d{2})(?![\d:])/g;

const seconds = ([, hours = 0, minutes, rest]) => Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);

function jump(match) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link-button numeric";
  button.dataset.playAt = seconds(match);
  button.textContent = match[0];
  return button;
}

function withJumps(text, longest) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(TIME)) {
    // A time of day, or a ratio, is rarely within the episode; what is beyond its end is no position.
    if (Number(match[3]) > 59 || seconds(match) > longest) continue;
    parts.push(text.slice(from, match.index), jump(match));
    from = match.index + match[0].length;
  }
  return parts.length ? [...parts, text.slice(from)] : null;
}

for (const notes of document.querySelectorAll("[data-timestamps]")) {
  const longest = Number(notes.dataset.timestamps);
  const walker = document.createTreeWalker(notes, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    if (text.parentElement.closest("a, button, code, pre")) continue;
    const parts = withJumps(text.data, longest);
    if (parts) text.replaceWith(...parts);
  }
}
