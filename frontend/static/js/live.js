// A feed of messages from the server that stays: a socket, polling when sockets fail, and the socket again.
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const POLL_MS = 5_000;
const SOCKET_FAILURES_BEFORE_POLLING = 2;
const STEADY_MS = 10_000;

/** Full jitter: a thousand browsers don't come back in the same instant after a restart. */
export function backOff(attempt, random = Math.random) {
  const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  return ceiling / 2 + (random() * ceiling) / 2;
}

function socketAddress(path) {
  const address = new URL(path, location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address;
}

/**
 * Dispatches "message" (detail: the parsed JSON) and "state" (detail: live | polling | offline).
 * `socket` is the address of the WebSocket, `poll` of JSON that says the same; either may be missing.
 */
export class LiveFeed extends EventTarget {
  #failures = 0;
  #socket = null;
  #retry = 0;
  #poller = 0;
  #steady = 0;
  #closed = true;

  constructor({ socket, poll }) {
    super();
    this.address = socket;
    this.pollAddress = poll;
    this.state = "connecting";
    // A phone that sleeps loses its socket without a word; a page nobody sees needs none.
    document.addEventListener("visibilitychange", () => this.#visibility());
    addEventListener("online", () => this.#again());
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", (event) => event.persisted && this.open());
  }

  open() {
    if (!this.#closed) return;
    this.#closed = false;
    this.#connect();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#steady);
    this.#stopPolling();
    this.#dropSocket();
  }

  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #visibility() {
    if (document.hidden) this.#stopPolling();
    else this.#again();
  }

  #again() {
    if (this.#closed || this.#socket) return;
    clearTimeout(this.#retry);
    this.#connect();
    if (this.#failures >= SOCKET_FAILURES_BEFORE_POLLING) this.#startPolling();
  }

  #connect() {
    if (this.#closed || this.#socket) return;
    if (!this.address || !("WebSocket" in globalThis)) {
      this.#startPolling();
      return;
    }
    const socket = new WebSocket(socketAddress(this.address));
    this.#socket = socket;
    socket.addEventListener("open", () => this.#opened());
    socket.addEventListener("message", (event) => this.#received(JSON.parse(event.data)));
    socket.addEventListener("close", () => socket === this.#socket && this.#lost());
  }

  #opened() {
    this.#stopPolling();
    this.#become("live");
    // Only a connection that lasts counts as recovered: one that opens and closes must still back off.
    this.#steady = setTimeout(() => (this.#failures = 0), STEADY_MS);
  }

  #lost() {
    this.#socket = null;
    clearTimeout(this.#steady);
    if (this.#closed) return;
    this.#failures += 1;
    if (this.#failures >= SOCKET_FAILURES_BEFORE_POLLING) this.#startPolling();
    else this.#become("connecting");
    this.#retry = setTimeout(() => this.#connect(), backOff(this.#failures));
  }

  #dropSocket() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #startPolling() {
    if (this.#poller || this.#closed || document.hidden) return;
    if (!this.pollAddress) {
      this.#become("offline");
      return;
    }
    this.#poller = setInterval(() => this.#poll(), POLL_MS);
    this.#poll();
  }

  #stopPolling() {
    clearInterval(this.#poller);
    this.#poller = 0;
  }

  async #poll() {
    try {
      const answer = await fetch(this.pollAddress, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const message = await answer.json();
      if (!this.#poller) return;
      this.#become("polling");
      this.#received(message);
    } catch {
      if (this.#poller) this.#become("offline");
    }
  }

  #received(message) {
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  #become(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}

const WORDS = { live: "Live", polling: "Every few seconds", offline: "Not connected", connecting: "Connecting" };

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
