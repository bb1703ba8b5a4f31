// How fast an upload goes and how long it will take, steady enough to be read.
const WINDOW_MS = 8_000;
const SETTLED_MS = 1_500;

/** Watches a growing count of bytes; what was there before the upload began to move is not speed. */
export class Meter {
  #samples = [];

  reset() {
    this.#samples = [];
  }

  add(bytes, at = performance.now()) {
    const last = this.#samples.at(-1);
    if (last && bytes < last.bytes) this.reset(); // a part failed and starts again
    this.#samples.push({ bytes, at });
    while (this.#samples.length > 2 && this.#samples[0].at < at - WINDOW_MS) this.#samples.shift();
  }

  /** Bytes a second over the last seconds, or null while it is too early to say. */
  get speed() {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || last.at - first.at < SETTLED_MS) return null;
    return ((last.bytes - first.bytes) / (last.at - first.at)) * 1000;
  }

  /** Seconds until `bytes` more have gone, or null. */
  secondsFor(bytes) {
    const { speed } = this;
    return speed ? bytes / speed : null;
  }
}

export function timeLeft(seconds) {
  if (seconds < 5) return "a few seconds left";
  if (seconds < 55) return `${Math.ceil(seconds / 5) * 5} s left`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes} min left`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}
