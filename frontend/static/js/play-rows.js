// The play buttons of a list of episodes: each opens a player in its own row and starts it.
import "./player.js";

const template = document.querySelector("[data-player-template]");

function opened(button) {
  const player = template.content.firstElementChild.cloneNode(true);
  const { episode, title, src, artwork, durationMs } = button.dataset;
  Object.assign(player.dataset, { episode, title, artwork, durationMs });
  const seek = player.querySelector("[data-player-seek]");
  seek.id = `seek-${episode}`;
  player.querySelector("label").htmlFor = seek.id;
  const audio = player.querySelector("audio");
  audio.src = src;
  for (const event of ["play", "pause"]) {
    audio.addEventListener(event, () => {
      button.toggleAttribute("data-playing", !audio.paused);
      button.setAttribute("aria-label", `${audio.paused ? "Play" : "Pause"} ${title}`);
    });
  }
  button.closest(".episode").append(player);
  return player;
}

for (const button of document.querySelectorAll("[data-play-row]")) {
  let player = null;
  button.addEventListener("click", () => {
    player ??= opened(button);
    player.toggle();
  });
}
