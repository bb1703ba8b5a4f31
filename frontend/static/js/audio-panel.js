// What the audio panel shows: facts, progress and sentences. It decides nothing.
import { dataSize } from "./numbers.js";
import { clock } from "./player.js";
import { timeLeft } from "./upload-meter.js";

const SPOKEN_STEPS = 4; // a screen reader hears every quarter
const KINDS = { "audio/mpeg": "MP3", "audio/mp4": "M4A" };
const GOES_ON = "It goes on by itself as soon as the server can be reached.";

const TITLES = {
  preparing: "Looking at the file",
  sending: "Uploading",
  paused: "Paused",
  offline: "Waiting for the connection",
  finishing: "Putting the parts together",
  stopped: "Stopped",
};

const made = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

/** Draws into the markup of studio/episodes/_audio.html. */
export class AudioPanel {
  #root;
  #spoken = "";
  #pageTitle = document.title;

  constructor(root) {
    this.#root = root;
  }

  /** Shows the parts of the panel that are named true, and hides the others. */
  show(parts) {
    for (const [name, isShown] of Object.entries(parts)) this.part(name).hidden = !isShown;
  }

  part(name) {
    return this.#root.querySelector(`[data-part="${name}"]`);
  }

  refuse(sentence) {
    const alert = this.part("refused");
    alert.querySelector("p").textContent = sentence;
    alert.hidden = !sentence;
  }

  facts(audio) {
    const facts = [
      clock(audio.duration_ms / 1000),
      KINDS[audio.content_type] ?? audio.extension,
      `${Math.round(audio.bitrate_bps / 1000)} kbit/s`,
      dataSize(audio.size_bytes),
      audio.chapter_count ? `${audio.chapter_count} chapters` : "",
    ];
    const notices = this.#root.querySelector("[data-notices]");
    notices.replaceChildren(...audio.notices.map((notice) => made("li", notice)));
    notices.hidden = audio.notices.length === 0;
    this.#root.querySelector("[data-name]").textContent = audio.filename;
    this.#root.querySelector("[data-facts]").replaceChildren(...facts.filter(Boolean).map((fact) => made("span", fact)));
  }

  failure({ filename, error }) {
    const part = this.part("failed");
    part.querySelector("strong").textContent = `“${filename}” could not be used`;
    part.querySelector("p").textContent = error.message;
    this.#toggle('[data-action="retry"]', error.can_retry);
    this.say(error.message);
  }

  leftover({ name, size, bytes }) {
    const part = this.part("left");
    part.querySelector("strong").textContent = `Continue the upload of “${name}”`;
    part.querySelector("p").textContent =
      `${dataSize(bytes)} of ${dataSize(size)} have arrived. Choose the same file again: only the rest is sent.`;
  }

  upload(upload, meter) {
    const percent = Math.floor((upload.sentBytes / upload.file.size) * 100);
    const isMoving = upload.state === "sending";
    const details = [`${dataSize(upload.sentBytes)} of ${dataSize(upload.file.size)}`];
    const seconds = isMoving ? meter.secondsFor(upload.file.size - upload.sentBytes) : null;
    if (seconds !== null) details.push(`${dataSize(meter.speed)}/s`, timeLeft(seconds));
    const isKnown = upload.state !== "preparing" || upload.sentBytes > 0;
    this.#progress(TITLES[upload.state], upload.file.name, isKnown ? percent : null, details.join(" · "));
    this.#buttons(upload.state);
    this.#note(upload.state === "offline" ? upload.message || GOES_ON : upload.message);
    document.title = isKnown ? `${percent} % · ${this.#pageTitle}` : this.#pageTitle;
    const quarter = Math.floor((percent * SPOKEN_STEPS) / 100) * (100 / SPOKEN_STEPS);
    this.say(isMoving ? `Uploading, ${quarter} percent` : `${TITLES[upload.state]}. ${upload.message}`);
  }

  processing({ filename, status, stage, progress }) {
    const title = status === "pending" ? "Waiting to be checked" : stage || "Checking the file";
    this.#progress(title, filename, progress || null, progress ? `${progress} %` : "");
    this.#buttons("processing");
    this.#note("You can leave this page: it goes on without you.");
    this.say(title);
  }

  #progress(title, name, percent, detail) {
    const part = this.part("work");
    const bar = part.querySelector("progress");
    part.querySelector("[data-progress-label]").textContent = title;
    part.querySelector("[data-progress-detail]").textContent = detail;
    part.querySelector("[data-file]").textContent = name;
    if (percent === null) bar.removeAttribute("value");
    else bar.value = percent;
  }

  #buttons(state) {
    const shown = {
      pause: ["preparing", "sending", "offline"].includes(state),
      continue: ["paused", "stopped"].includes(state),
      cancel: state !== "finishing",
    };
    for (const [name, isShown] of Object.entries(shown)) this.#toggle(`[data-button="${name}"]`, isShown);
  }

  /** Who may only look has no buttons. */
  #toggle(selector, isShown) {
    const button = this.#root.querySelector(selector);
    if (button) button.hidden = !isShown;
  }

  restoreTitle() {
    document.title = this.#pageTitle;
  }

  #note(text) {
    this.#root.querySelector("[data-note]").textContent = text;
  }

  say(text) {
    if (text === this.#spoken) return;
    this.#spoken = text;
    this.#root.querySelector("[data-say]").textContent = text;
  }

  player(audio) {
    const player = this.#root.querySelector("[data-player-template]").content.firstElementChild.cloneNode(true);
    player.querySelector("audio").src = audio.preview_url;
    player.dataset.durationMs = audio.duration_ms;
    this.#root.querySelector("[data-player]").replaceChildren(player);
    this.say("The audio is ready.");
  }
}
