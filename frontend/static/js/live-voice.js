// What a screen reader hears of a live page: a sentence now and then, never every number as it rolls.
import { grouped } from "./numbers.js";

const QUIET_MS = 30_000;

export class Voice {
  #region;
  #spokenAt = Date.now(); // the page itself has just been read
  #timer = 0;
  #shown;
  #spoken;

  constructor(region, shown) {
    this.#region = region;
    this.#shown = this.#spoken = shown;
  }

  note(message) {
    if (!this.#region) return;
    if (this.#shown.epoch !== null && message.epoch !== this.#shown.epoch) this.#region.textContent = "The figures were recounted.";
    this.#shown = message;
    const wait = this.#spokenAt + QUIET_MS - Date.now();
    this.#timer ||= setTimeout(() => this.#speak(), Math.max(wait, 0));
  }

  #speak() {
    this.#timer = 0;
    const { today, listeners_now: listeners } = this.#shown;
    if (today === this.#spoken.today && listeners === this.#spoken.listeners_now) return;
    this.#spoken = this.#shown;
    this.#spokenAt = Date.now();
    this.#region.textContent = `Downloads today: ${grouped(today)}. Listening now: ${grouped(listeners)}.`;
  }
}
