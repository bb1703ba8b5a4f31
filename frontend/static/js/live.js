// A feed of messages from the server that stays: over a socket; when sockets fail, as a stream of events; when
// that fails too, by asking every few seconds. It comes back by itself.
import { PollLine, SocketLine, StreamLine } from "./live-lines.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const POLL_MS = 10_000;
const FAILURES_BEFORE_NEXT = 2;
const STEADY_MS = 10_000;
// Whoever looks elsewhere for a moment keeps the line.
const HIDDEN_MS = 20_000;
const BETTER_WAY_MS = 30_000;

/** Full jitter: a thousand browsers don't come back in the same instant after a restart. */
export function backOff(attempt, random = Math.random) {
  const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  return ceiling / 2 + (random() * ceiling) / 2;
}

/**
 * Dispatches "message" (detail: the parsed JSON) and "state" (detail: live | polling | reconnecting | offline |
 * paused | signed-out | ended). `socket` is the address of a WebSocket, `stream` of server-sent events, `poll`
 * of JSON that says the same; each may be missing. With `pauses`, a page that nobody sees hears nothing.
 */
export class LiveFeed extends EventTarget {
  #ways;
  #way = 0;
  #line = null;
  #failures = 0; // since a line lasted
  #misses = 0; // of the way that is tried now
  #timers = {};
  #isClosed = true;
  #pauses;

  constructor({ socket, stream, poll, pauses = false }) {
    super();
    this.state = "connecting";
    this.#pauses = pauses;
    this.#ways = [
      socket && "WebSocket" in globalThis && { kind: SocketLine, address: socket, state: "live" },
      stream && "EventSource" in globalThis && { kind: StreamLine, address: stream, state: "live" },
      poll && { kind: PollLine, address: poll, state: "polling" },
    ].filter(Boolean);
    document.addEventListener("visibilitychange", () => this.#visibility());
    addEventListener("online", () => this.#hurry());
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", (event) => event.persisted && this.open());
  }

  open() {
    if (!this.#isClosed) return;
    this.#isClosed = false;
    this.#connect();
  }

  close() {
    this.#isClosed = true;
    this.#hangUp();
  }

  #visibility() {
    if (document.hidden) {
      if (this.#pauses) this.#after("hidden", HIDDEN_MS, () => this.#pause());
    } else {
      clearTimeout(this.#timers.hidden);
      this.#hurry();
    }
  }

  #pause() {
    if (this.#isClosed) return;
    this.#hangUp();
    this.#become("paused");
  }

  /** Somebody looks again, or the network is back: no reason to wait any longer. */
  #hurry() {
    if (this.#isClosed || this.#line) return;
    this.#connect();
  }

  #connect() {
    clearTimeout(this.#timers.retry);
    if (this.#isClosed || this.#line || !this.#ways.length) return;
    const { kind, address, state } = this.#ways[this.#way];
    this.#line = new kind(
      address,
      {
        opened: () => this.#opened(state),
        heard: (message) => this.dispatchEvent(new CustomEvent("message", { detail: message })),
        lost: () => this.#lost(),
        refused: (reason) => this.#refused(reason),
      },
      POLL_MS,
    );
    try {
      this.#line.open();
    } catch {
      this.#lost(); // a browser that forbids it says so by throwing
    }
  }

  #opened(state) {
    this.#become(state);
    // Only a line that lasts counts as recovered: one that opens and closes must still back off.
    if (!this.#timers.steady) this.#after("steady", STEADY_MS, () => (this.#failures = this.#misses = 0));
    if (this.#way > 0 && !this.#timers.better) this.#after("better", BETTER_WAY_MS * (1 + Math.random()), () => this.#tryBetter());
  }

  #lost() {
    this.#hangUp();
    this.#failures += 1;
    this.#misses += 1;
    if (this.#misses >= FAILURES_BEFORE_NEXT) {
      // After the last way the first again: perhaps it was the server that was away, not the way.
      this.#way = (this.#way + 1) % this.#ways.length;
      this.#misses = 0;
    }
    this.#become(this.#failures >= FAILURES_BEFORE_NEXT ? "offline" : "reconnecting");
    this.#after("retry", backOff(this.#failures), () => this.#connect());
  }

  #refused(reason) {
    this.close();
    this.#become(reason);
  }

  /** What kept sockets from us may have gone. */
  #tryBetter() {
    this.#hangUp();
    this.#way = 0;
    this.#misses = FAILURES_BEFORE_NEXT - 1; // one try, then the next one
    this.#connect();
  }

  #hangUp() {
    const line = this.#line;
    this.#line = null;
    line?.close();
    for (const name of ["retry", "steady", "better"]) {
      clearTimeout(this.#timers[name]);
      this.#timers[name] = 0;
    }
  }

  #after(name, milliseconds, work) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(work, milliseconds);
  }

  #become(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}

export const WORDS = {
  connecting: "Connecting",
  live: "Live",
  polling: `Every ${POLL_MS / 1000} seconds`,
  reconnecting: "Reconnecting",
  offline: "Not connected",
  paused: "Paused",
  "signed-out": "Signed out",
  ended: "No longer available",
};

/** Keeps a [data-live-indicator] in step with a feed. */
export function indicate(feed, indicator) {
  if (!indicator) return;
  const show = (state) => {
    indicator.dataset.liveState = state;
    indicator.querySelector("[data-live-text]").textContent = WORDS[state];
  };
  show(feed.state);
  feed.addEventListener("state", (event) => show(event.detail));
}
