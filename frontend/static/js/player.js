// <audio-player>: plays an episode; remembers where one stopped; works with keys and the phone's lock screen.
const REMEMBER_EVERY_MS = 5000;
const NEAR_END_SECONDS = 20;

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds || 0));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const pad = (number) => String(number).padStart(2, "0");
  return h ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

function spoken(seconds) {
  const [minutes, rest] = [Math.floor(seconds / 60), Math.floor(seconds % 60)];
  return `${minutes} ${minutes === 1 ? "minute" : "minutes"} ${rest} ${rest === 1 ? "second" : "seconds"}`;
}

const storage = {
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage is denied: nothing is remembered
    }
  },
  set(key, value) {
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, value);
    } catch {
      // as above
    }
  },
};

class AudioPlayer extends HTMLElement {
  #rememberedAt = 0;
  #isSeeking = false;

  connectedCallback() {
    this.audio = this.querySelector("audio");
    this.playButton = this.querySelector("[data-player-play]");
    this.seek = this.querySelector("[data-player-seek]");
    this.status = this.querySelector("[data-player-status]");
    this.speed = this.querySelector("[data-player-speed]");
    this.key = `position:${this.dataset.episode}`;
    this.audio.controls = false;
    this.querySelector(".player__ui").hidden = false;
    this.#restore();
    this.#listenToControls();
    this.#listenToAudio();
    this.#show();
  }

  get duration() {
    const known = Number(this.dataset.durationMs) / 1000;
    return Number.isFinite(this.audio.duration) ? this.audio.duration : known;
  }

  /** Where playing is, or will start: before the first play nothing is loaded that could be sought in. */
  get position() {
    return this.audio.readyState > 0 ? this.audio.currentTime : this.startAt;
  }

  toggle() {
    if (this.audio.paused) this.play();
    else this.audio.pause();
  }

  async play() {
    try {
      await this.audio.play();
    } catch (error) {
      if (error.name !== "AbortError") this.#say("This browser can't play this file. The episode's page has it as a download.");
    }
  }

  goTo(seconds) {
    const target = Math.min(Math.max(seconds, 0), this.duration || seconds);
    if (this.audio.readyState > 0) this.audio.currentTime = target;
    else this.startAt = target;
    this.#show();
    this.#remember(true);
  }

  #restore() {
    const fragment = new URLSearchParams(location.hash.slice(1)).get("t");
    this.startAt = Number(fragment ?? storage.get(this.key)) || 0;
    const speed = storage.get("speed");
    if (speed && [...this.speed.options].some((option) => option.value === speed)) this.speed.value = speed;
  }

  #listenToControls() {
    this.playButton.addEventListener("click", () => this.toggle());
    for (const button of this.querySelectorAll("[data-player-skip]")) {
      button.addEventListener("click", () => this.goTo(this.position + Number(button.dataset.playerSkip)));
    }
    this.speed.addEventListener("change", () => {
      this.audio.playbackRate = Number(this.speed.value);
      storage.set("speed", this.speed.value);
    });
    this.seek.addEventListener("input", () => {
      this.#isSeeking = true;
      this.#drawSeek(Number(this.seek.value));
    });
    this.seek.addEventListener("change", () => {
      this.#isSeeking = false;
      this.goTo(Number(this.seek.value));
    });
    this.seek.addEventListener("keydown", (event) => this.#seekKey(event));
    this.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("click", (event) => {
      const link = event.target.closest("[data-play-at]");
      if (!link) return;
      this.goTo(Number(link.dataset.playAt));
      this.play();
    });
  }

  /** The arrows of a range move by one step, a second; here they move as far as listeners expect. */
  #seekKey(event) {
    const step = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -60, PageUp: 60 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    this.goTo(this.position + step);
  }

  #key(event) {
    if (event.target.closest("select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "k" || (event.key === " " && event.target === this.seek)) {
      event.preventDefault();
      this.toggle();
    } else if (event.key === "j") {
      this.goTo(this.position - 15);
    } else if (event.key === "l") {
      this.goTo(this.position + 30);
    }
  }

  #listenToAudio() {
    const { audio } = this;
    audio.addEventListener("loadedmetadata", () => {
      audio.playbackRate = Number(this.speed.value);
      if (this.startAt > 0 && this.startAt < this.duration - NEAR_END_SECONDS) audio.currentTime = this.startAt;
      this.#show();
    });
    for (const name of ["timeupdate", "durationchange", "seeked"]) audio.addEventListener(name, () => this.#show());
    audio.addEventListener("play", () => this.#playing(true));
    audio.addEventListener("pause", () => this.#playing(false));
    audio.addEventListener("timeupdate", () => this.#remember(false));
    audio.addEventListener("waiting", () => this.#say("Loading"));
    audio.addEventListener("playing", () => this.#say(""));
    audio.addEventListener("ended", () => storage.set(this.key, null));
    audio.addEventListener("error", () => this.#say("The audio can't be loaded. Try again in a moment."));
  }

  #playing(isPlaying) {
    this.playButton.toggleAttribute("data-playing", isPlaying);
    this.playButton.setAttribute("aria-label", isPlaying ? "Pause" : "Play");
    this.#remember(true);
    if (!isPlaying) return;
    for (const other of document.querySelectorAll("audio-player")) if (other !== this) other.audio.pause();
    this.#tellSystem();
  }

  #remember(isForced) {
    const now = Date.now();
    if (!isForced && now - this.#rememberedAt < REMEMBER_EVERY_MS) return;
    this.#rememberedAt = now;
    const isNearEnd = this.duration && this.position > this.duration - NEAR_END_SECONDS;
    storage.set(this.key, this.position < 5 || isNearEnd ? null : this.position.toFixed(1));
  }

  #show() {
    if (this.#isSeeking) return;
    if (this.duration) this.seek.max = Math.floor(this.duration);
    this.seek.value = Math.floor(this.position);
    this.#drawSeek(this.position);
  }

  #drawSeek(seconds) {
    const share = this.duration ? seconds / this.duration : 0;
    this.seek.style.setProperty("--_played", `${(share * 100).toFixed(2)}%`);
    this.seek.setAttribute("aria-valuetext", `${spoken(seconds)} of ${spoken(this.duration || 0)}`);
    this.querySelector("[data-player-now]").textContent = clock(seconds);
    this.querySelector("[data-player-left]").textContent = `−${clock(Math.max((this.duration || 0) - seconds, 0))}`;
  }

  #say(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  #tellSystem() {
    if (!("mediaSession" in navigator)) return;
    const { title, show, artwork } = this.dataset;
    navigator.mediaSession.metadata = new MediaMetadata({
      title,
      artist: show,
      artwork: artwork ? [{ src: artwork }] : [],
    });
    const skip = (seconds) => () => this.goTo(this.position + seconds);
    navigator.mediaSession.setActionHandler("play", () => this.play());
    navigator.mediaSession.setActionHandler("pause", () => this.audio.pause());
    navigator.mediaSession.setActionHandler("seekbackward", skip(-15));
    navigator.mediaSession.setActionHandler("seekforward", skip(30));
    navigator.mediaSession.setActionHandler("seekto", (details) => this.goTo(details.seekTime));
  }
}

customElements.define("audio-player", AudioPlayer);
