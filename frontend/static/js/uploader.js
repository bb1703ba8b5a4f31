// <audio-upload>: an episode's audio, from the file on a person's disk to the file that is served.
import { callApi } from "./api.js";
import { refusal } from "./audio-sniff.js";
import { LiveFeed } from "./live.js";
import { dataSize } from "./numbers.js";
import { clock } from "./player.js";
import { Upload } from "./upload.js";
import { Meter, timeLeft } from "./upload-meter.js";

const DRAW_MS = 250;
const SPOKEN_STEPS = 4; // a screen reader hears every quarter

const TITLES = {
  preparing: "Looking at the file",
  sending: "Uploading",
  paused: "Paused",
  offline: "Waiting for the connection",
  finishing: "Putting the parts together",
  stopped: "Stopped",
};

/** What survives a reload: that an upload was under way. The file itself has to be chosen again. */
class Memory {
  constructor(episode) {
    this.key = `upload:${episode}`;
  }

  get() {
    try {
      return JSON.parse(localStorage.getItem(this.key));
    } catch {
      return null;
    }
  }

  set(value) {
    try {
      if (value) localStorage.setItem(this.key, JSON.stringify(value));
      else localStorage.removeItem(this.key);
    } catch {
      // Storage is denied: the same file still continues, only nothing reminds of it.
    }
  }
}

class AudioUpload extends HTMLElement {
  #upload = null;
  #meter = new Meter();
  #drawnAt = 0;
  #spoken = "";
  #left = null; // an upload that a reload interrupted
  #lock = null;
  #pageTitle = document.title;

  connectedCallback() {
    const { episode } = this.dataset;
    this.memory = new Memory(episode);
    this.state = JSON.parse(this.querySelector("script[type=\"application/json\"]").textContent);
    this.feed = new LiveFeed({ socket: `/live/episodes/${episode}/`, poll: `/api/v1/episodes/${episode}/audio/` });
    this.feed.addEventListener("message", (event) => event.detail.type === "audio" && this.#take(event.detail));
    this.feed.open();
    if (this.dataset.mayEdit !== undefined) {
      this.#listen();
      this.#remember();
    }
    this.#draw();
  }

  disconnectedCallback() {
    this.feed.close();
    this.#upload?.pause();
  }

  #part(name) {
    return this.querySelector(`[data-part="${name}"]`);
  }

  #listen() {
    const input = this.querySelector("input[type=file]");
    input.addEventListener("change", () => {
      if (input.files[0]) this.#choose(input.files[0]);
      input.value = ""; // the same file may be chosen again
    });
    this.addEventListener("click", (event) => {
      const action = event.target.closest("[data-action]")?.dataset.action;
      if (action === "pause") this.#upload?.pause();
      else if (action === "continue") this.#upload?.start();
      else if (action === "retry") this.#retry();
      else if (action === "dismiss") this.#dismiss();
      else if (action === "forget") this.#forget();
    });
    this.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#cancel();
    });
    this.#listenToDrops();
    addEventListener("beforeunload", (event) => this.#upload?.isActive && event.preventDefault());
  }

  #listenToDrops() {
    const zone = this.querySelector("[data-drop-zone]");
    const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
    const over = (isOver) => (zone.dataset.state = isOver ? "over" : "idle");
    // A file that misses the panel must not replace the page.
    for (const name of ["dragover", "drop"]) {
      document.addEventListener(name, (event) => {
        if (!holdsFiles(event) || event.target.closest?.("input[type=file]")?.closest("audio-upload") === null) return;
        if (!event.target.closest?.("input[type=file]")) event.preventDefault();
      });
    }
    this.addEventListener("dragover", (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      if (this.#isBusy) {
        event.dataTransfer.dropEffect = "none";
        return;
      }
      this.#part("choose").open = true;
      over(true);
    });
    this.addEventListener("dragleave", (event) => !this.contains(event.relatedTarget) && over(false));
    this.addEventListener("drop", (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      over(false);
      const [file] = event.dataTransfer.files;
      if (file && !this.#isBusy) this.#choose(file);
    });
  }

  get #isBusy() {
    return Boolean(this.#upload) || ["pending", "processing"].includes(this.state.incoming?.status);
  }

  /** After a reload: says that an upload can go on, if the server still has it. */
  async #remember() {
    const left = this.memory.get();
    if (!left) return;
    try {
      const upload = await callApi(`uploads/${left.id}/`);
      if (upload.status === "open") {
        const bytes = upload.parts.reduce((sum, part) => sum + part.size_bytes, 0);
        this.#left = { id: left.id, name: upload.filename, size: upload.size_bytes, bytes };
      } else {
        this.memory.set(null);
      }
    } catch (error) {
      if (error.status === 404) this.memory.set(null);
    }
    this.#draw();
  }

  async #choose(file) {
    const sentence = await refusal(file, Number(this.dataset.largest), dataSize);
    if (sentence) {
      this.#refuse(sentence);
      return;
    }
    this.#refuse("");
    if (this.#left && (this.#left.name !== file.name || this.#left.size !== file.size)) this.#forget();
    this.#left = null;
    const upload = new Upload(file, { organization: this.dataset.organization, episode: this.dataset.episode });
    this.#upload = upload;
    this.#meter.reset();
    upload.addEventListener("open", () => this.memory.set({ id: upload.id }));
    upload.addEventListener("change", () => this.#uploadChanged(upload));
    this.#stayAwake(true);
    upload.start();
  }

  #uploadChanged(upload) {
    if (upload !== this.#upload) return;
    if (upload.state === "sending") this.#meter.add(upload.sentBytes - upload.skippedBytes);
    else this.#meter.reset();
    if (["done", "failed", "cancelled"].includes(upload.state)) this.#uploadEnded(upload);
    else this.#drawSoon(upload.state);
  }

  #uploadEnded(upload) {
    this.#upload = null;
    this.memory.set(null);
    this.#stayAwake(false);
    document.title = this.#pageTitle;
    if (upload.state === "failed") this.#refuse(upload.message);
    if (upload.state === "done") {
      const { name, size } = upload.file;
      this.state.incoming = { filename: name, size_bytes: size, status: "pending", stage: "", progress: 0, error: null };
      this.#reload();
    }
    this.#draw();
  }

  async #reload() {
    try {
      this.#take(await callApi(`episodes/${this.dataset.episode}/audio/`));
    } catch {
      // The socket or the next poll will say it.
    }
  }

  #take(state) {
    const before = this.state.audio?.asset;
    this.state = state;
    this.#draw();
    if (state.audio && state.audio.asset !== before) {
      this.#showPlayer(state.audio);
      this.dispatchEvent(new CustomEvent("audio:ready", { bubbles: true, detail: state.audio }));
    }
  }

  async #act(path, options) {
    try {
      await callApi(path, options);
    } catch (error) {
      this.#refuse(error.status ? error.message : "The server can’t be reached. Try again in a moment.");
    }
    await this.#reload();
  }

  #retry() {
    const { asset } = this.state.incoming;
    return this.#act(`episodes/${this.dataset.episode}/audio/`, { method: "POST", body: { asset } });
  }

  #dismiss() {
    return this.#act(`episodes/${this.dataset.episode}/audio/`, { method: "DELETE" });
  }

  #cancel() {
    if (this.#upload) this.#upload.cancel();
    else this.#dismiss();
  }

  #forget() {
    if (this.#left) callApi(`uploads/${this.#left.id}/`, { method: "DELETE" }).catch(() => {});
    this.#left = null;
    this.memory.set(null);
    this.#draw();
  }

  /** A phone that falls asleep stops sending. */
  async #stayAwake(isWanted) {
    try {
      if (isWanted) this.#lock = await navigator.wakeLock?.request("screen");
      else await this.#lock?.release();
    } catch {
      // The battery is low, or the browser has no such thing.
    }
  }

  #refuse(sentence) {
    const alert = this.#part("refused");
    alert.querySelector("p").textContent = sentence;
    alert.hidden = !sentence;
  }

  #drawSoon(state) {
    const now = performance.now();
    if (state === this.drawnState && now - this.#drawnAt < DRAW_MS) return;
    this.#drawnAt = now;
    this.drawnState = state;
    this.#draw();
  }

  #draw() {
    const { incoming, audio } = this.state;
    const hasFailed = !this.#upload && incoming?.status === "failed";
    this.#part("current").hidden = !audio;
    this.#part("work").hidden = !this.#isBusy;
    this.#part("failed").hidden = !hasFailed;
    this.#part("left").hidden = !this.#left || this.#isBusy;
    this.#part("choose").hidden = this.#isBusy || this.dataset.mayEdit === undefined;
    this.#part("choose").open ||= !audio || hasFailed || Boolean(this.#left);
    this.#part("choose").classList.toggle("is-only", !audio);
    this.#part("replacing").hidden = !(audio && this.#isBusy);
    if (audio) this.#drawFacts(audio);
    if (hasFailed) this.#drawFailure(incoming);
    if (this.#left) this.#drawLeft(this.#left);
    if (this.#upload) this.#drawUpload(this.#upload);
    else if (this.#isBusy) this.#drawProcessing(incoming);
  }

  #drawFacts(audio) {
    const kind = { "audio/mpeg": "MP3", "audio/mp4": "M4A" }[audio.content_type] ?? audio.extension;
    const facts = [
      clock(audio.duration_ms / 1000),
      kind,
      `${Math.round(audio.bitrate_bps / 1000)} kbit/s`,
      dataSize(audio.size_bytes),
      audio.chapter_count ? `${audio.chapter_count} chapters` : "",
    ];
    this.querySelector("[data-name]").textContent = audio.filename;
    const spans = facts.filter(Boolean).map((fact) => Object.assign(document.createElement("span"), { textContent: fact }));
    this.querySelector("[data-facts]").replaceChildren(...spans);
  }

  #drawFailure({ filename, error }) {
    const part = this.#part("failed");
    part.querySelector("strong").textContent = `“${filename}” could not be used`;
    part.querySelector("p").textContent = error.message;
    part.querySelector('[data-action="retry"]').hidden = !error.can_retry;
    this.#say(error.message);
  }

  #drawLeft({ name, size, bytes }) {
    const part = this.#part("left");
    part.querySelector("strong").textContent = `Continue the upload of “${name}”`;
    part.querySelector("p").textContent =
      `${dataSize(bytes)} of ${dataSize(size)} have arrived. Choose the same file again: only the rest is sent.`;
  }

  #drawUpload(upload) {
    const percent = Math.floor((upload.sentBytes / upload.file.size) * 100);
    const isMoving = upload.state === "sending";
    const details = [`${dataSize(upload.sentBytes)} of ${dataSize(upload.file.size)}`];
    const seconds = isMoving ? this.#meter.secondsFor(upload.file.size - upload.sentBytes) : null;
    if (seconds !== null) details.push(`${dataSize(this.#meter.speed)}/s`, timeLeft(seconds));
    const isKnown = upload.state !== "preparing" || upload.sentBytes > 0;
    this.#drawProgress(TITLES[upload.state], upload.file.name, isKnown ? percent : null, details.join(" · "));
    this.#drawButtons(upload.state);
    this.#note(upload.state === "offline" ? upload.message || "It goes on by itself as soon as the server can be reached." : upload.message);
    document.title = isKnown ? `${percent} % · ${this.#pageTitle}` : this.#pageTitle;
    const quarter = Math.floor((percent * SPOKEN_STEPS) / 100) * (100 / SPOKEN_STEPS);
    this.#say(isMoving ? `Uploading, ${quarter} percent` : `${TITLES[upload.state]}. ${upload.message}`);
  }

  #drawProcessing({ filename, status, stage, progress }) {
    const title = status === "pending" ? "Waiting to be checked" : stage || "Checking the file";
    this.#drawProgress(title, filename, progress || null, progress ? `${progress} %` : "");
    this.#drawButtons("processing");
    this.#note("You can leave this page: it goes on without you.");
    this.#say(title);
  }

  #drawProgress(title, name, percent, detail) {
    const part = this.#part("work");
    const bar = part.querySelector("progress");
    part.querySelector("[data-progress-label]").textContent = title;
    part.querySelector("[data-progress-detail]").textContent = detail;
    part.querySelector("[data-file]").textContent = name;
    if (percent === null) bar.removeAttribute("value");
    else bar.value = percent;
  }

  #drawButtons(state) {
    const shown = {
      pause: ["preparing", "sending", "offline"].includes(state),
      continue: ["paused", "stopped"].includes(state),
      cancel: state !== "finishing",
    };
    for (const [name, isShown] of Object.entries(shown)) this.querySelector(`[data-button="${name}"]`).hidden = !isShown;
  }

  #note(text) {
    this.querySelector("[data-note]").textContent = text;
  }

  #say(text) {
    if (text === this.#spoken) return;
    this.#spoken = text;
    this.querySelector("[data-say]").textContent = text;
  }

  #showPlayer(audio) {
    const player = this.querySelector("[data-player-template]").content.firstElementChild.cloneNode(true);
    player.querySelector("audio").src = audio.preview_url;
    player.dataset.durationMs = audio.duration_ms;
    this.querySelector("[data-player]").replaceChildren(player);
    this.#say("The audio is ready.");
  }
}

customElements.define("audio-upload", AudioUpload);
