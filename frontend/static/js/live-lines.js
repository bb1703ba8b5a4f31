// Three ways of hearing from the server. Each calls `heard(message)` for every message, `opened()` once it
// hears, `lost()` when it broke, and `refused(reason)` when coming back would be of no use.
const GONE = { 4401: "signed-out", 4403: "ended", 4404: "ended" };
// Boards send messages without a name; lists say what a message is.
const KINDS = ["message", "ready", "changed", "resync"];
const REFUSALS = { 401: "signed-out", 403: "signed-out", 404: "ended" };

class Line {
  constructor(address, calls) {
    this.address = address;
    this.calls = calls;
    this.isClosed = false;
  }

  /** Nothing is called after this. */
  close() {
    this.isClosed = true;
    this.stop();
  }

  say(name, ...details) {
    if (this.isClosed) return;
    if (name === "lost" || name === "refused") this.close();
    this.calls[name](...details);
  }
}

export class SocketLine extends Line {
  open() {
    const address = new URL(this.address, location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(address);
    this.socket.addEventListener("open", () => this.say("opened"));
    this.socket.addEventListener("message", (event) => this.say("heard", JSON.parse(event.data)));
    this.socket.addEventListener("close", ({ code }) => (GONE[code] ? this.say("refused", GONE[code]) : this.say("lost")));
  }

  stop() {
    this.socket?.close();
  }
}

export class StreamLine extends Line {
  open() {
    this.source = new EventSource(this.address);
    this.source.addEventListener("open", () => this.say("opened"));
    for (const kind of KINDS) this.source.addEventListener(kind, (event) => this.say("heard", JSON.parse(event.data)));
    this.source.addEventListener("end", () => this.say("refused", "ended"));
    // It would come back by itself, but at a fixed pace and never by another way.
    this.source.addEventListener("error", () => this.say("lost"));
  }

  stop() {
    this.source?.close();
  }
}

export class PollLine extends Line {
  constructor(address, calls, milliseconds) {
    super(address, calls);
    this.milliseconds = milliseconds;
  }

  open() {
    this.#ask();
  }

  stop() {
    clearTimeout(this.timer);
  }

  async #ask() {
    try {
      const answer = await fetch(this.address, { headers: { Accept: "application/json" } });
      if (REFUSALS[answer.status]) {
        this.say("refused", REFUSALS[answer.status]);
        return;
      }
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const message = await answer.json();
      this.say("opened");
      this.say("heard", message);
    } catch {
      this.say("lost");
    }
    if (!this.isClosed) this.timer = setTimeout(() => this.#ask(), this.milliseconds);
  }
}
