// <audio-upload>: an episode's audio, from the file on a person's disk to the file that is served.
import { callApi } from "./api.js";
import { AudioPanel } from "./audio-panel.js";
import { refusal } from "./audio-sniff.js";
import { LiveFeed } from "./live.js";
import { dataSize } from "./numbers.js";
import { Upload } from "./upload.js";
import { Meter } from "./upload-meter.js";

const DRAW_MS = 250;

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
  #panel = new AudioPanel(this);
  #upload = null;
  #meter = new Meter();
  #drawnAt = 0;
  #left = null; // an upload that a reload interrupted
  #lock = null;

  connectedCallback() {
    const { episode } = this.dataset;
    this.memory = new Memory(episode);
    this.state = JSON.parse(this.querySelector('script[type="application/json"]').textContent);
    this.feed = new LiveFeed({ socket: `/live/episodes/${episode}/`, poll: `/api/v1/episodes/${episode}/audio/` });
    this.feed.addEventListener("message", (event) => event.detail.type === "audio" && this.#take(event.detail));
    this.feed.open();
    if (this.mayEdit) {
      this.#listen();
      this.#remember();
    }
    this.#draw();
  }

  disconnectedCallback() {
    this.feed.close();
    this.#upload?.pause();
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
        if (holdsFiles(event) && !event.target.closest?.("input[type=file]")) event.preventDefault();
      });
    }
    this.addEventListener("dragover", (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      if (this.#isBusy) {
        event.dataTransfer.dropEffect = "none";
        return;
      }
      this.#panel.part("choose").open = true;
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

  get mayEdit() {
    return this.dataset.mayEdit !== undefined;
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
      this.#panel.refuse(sentence);
      return;
    }
    this.#panel.refuse("");
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
    this.#panel.restoreTitle();
    if (upload.state === "failed") this.#panel.refuse(upload.message);
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
    if (state.audio && state.audio.asset !== before) {
      this.#panel.part("choose").open = false;
      this.#panel.player(state.audio);
      this.dispatchEvent(new CustomEvent("audio:ready", { bubbles: true, detail: state.audio }));
    }
    this.#draw();
  }

  async #act(path, options) {
    try {
      await callApi(path, options);
    } catch (error) {
      this.#panel.refuse(error.status ? error.message : "The server can’t be reached. Try again in a moment.");
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
    this.#panel.show({
      current: audio,
      work: this.#isBusy,
      failed: hasFailed,
      left: this.#left && !this.#isBusy,
      choose: !this.#isBusy && this.mayEdit,
      replacing: audio && this.#isBusy,
    });
    const choose = this.#panel.part("choose");
    choose.open ||= !audio || hasFailed || Boolean(this.#left);
    choose.querySelector("summary").hidden = !audio;
    if (audio) this.#panel.facts(audio);
    if (hasFailed) this.#panel.failure(incoming);
    if (this.#left) this.#panel.leftover(this.#left);
    if (this.#upload) this.#panel.upload(this.#upload, this.#meter);
    else if (this.#isBusy) this.#panel.processing(incoming);
  }
}

customElements.define("audio-upload", AudioUpload);
