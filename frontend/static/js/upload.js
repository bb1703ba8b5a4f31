// One file on its way to the server: in parts, checked, with pauses, and continued after any interruption.
import { callApi, Refusal } from "./api.js";
import { backOff } from "./live.js";
import { base64, hex, sha256 } from "./sha256.js";

const PARALLEL = 3;
const FINGERPRINT_BYTES = 1 << 20;
const SILENT_MS = 45_000; // a connection that moves nothing for so long is lost, whatever the system says
const LONGEST_WAIT_OFFLINE_MS = 10_000;
// What a bucket answers, in the words of our own endpoint for parts.
const S3_CODES = {
  AccessDenied: "expired",
  BadDigest: "part_refused",
  ExpiredToken: "expired",
  NoSuchUpload: "no_such_upload",
  SignatureDoesNotMatch: "bad_signature",
};

/** Names a file so that it is known again after a reload: a name and a date alone are not enough. */
export async function fingerprintOf(file) {
  const ends = new Blob([file.slice(0, FINGERPRINT_BYTES), file.slice(-FINGERPRINT_BYTES)]);
  const digest = await sha256(await ends.arrayBuffer());
  return `${hex(digest)}-${file.size}-${file.lastModified}`;
}

class Paused extends Error {}

/** Sends one part with progress, which fetch can't report. */
function put({ method, url, headers }, body, signal, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let watchdog = 0;
    const lost = () => reject(new TypeError("connection lost"));
    const watch = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => request.abort(), SILENT_MS);
    };
    const abort = () => request.abort();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => (watch(), onProgress(event.loaded)));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve();
      else reject(new Refusal(request.status, problemIn(request)));
    });
    request.addEventListener("error", lost);
    request.addEventListener("abort", () => (signal.aborted ? reject(new Paused()) : lost()));
    request.addEventListener("loadend", () => {
      clearTimeout(watchdog);
      signal.removeEventListener("abort", abort);
    });
    signal.addEventListener("abort", abort);
    watch();
    request.send(new Blob([body])); // a buffer is copied by the page's thread, which then stands still
  });
}

function problemIn(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return { code: S3_CODES[/<Code>(\w+)<\/Code>/.exec(request.responseText)?.[1]] }; // S3 answers in XML
  }
}

/**
 * Dispatches "change" whenever `state`, `sentBytes` or `message` changed.
 * States: preparing, sending, paused, offline, finishing, done, stopped (can go on), failed (can't), cancelled.
 */
export class Upload extends EventTarget {
  #abort = null;
  #checksums = new Map(); // of the parts that are on the server
  #arrived = new Map(); // number -> checksum, as the server says
  #moving = new Map(); // number -> bytes of the part that are on their way
  #wake = null;
  #attempt = 0;

  constructor(file, { organization, episode }) {
    super();
    this.file = file;
    this.organization = organization;
    this.episode = episode;
    this.state = "preparing";
    this.message = "";
    this.id = "";
    this.skippedBytes = 0; // were on the server before
    addEventListener("online", () => this.#wake?.());
  }

  get sentBytes() {
    let sum = 0;
    for (const number of this.#checksums.keys()) sum += this.#sizeOf(number);
    for (const loaded of this.#moving.values()) sum += loaded;
    return Math.min(sum, this.file.size);
  }

  get isActive() {
    return ["preparing", "sending", "offline", "finishing"].includes(this.state);
  }

  /** Begins, or goes on after a pause or a stop. */
  async start() {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.#become("preparing");
    while (!signal.aborted) {
      try {
        await this.#open(signal);
        this.#become("sending");
        await this.#sendAll(signal);
        this.#become("finishing");
        await this.#complete(signal);
        return;
      } catch (error) {
        this.#moving.clear();
        if (signal.aborted || !(await this.#recover(error, signal))) return;
      }
    }
  }

  pause() {
    if (!this.isActive || this.state === "finishing") return;
    this.#stop("paused");
  }

  /** Throws away what has arrived. */
  async cancel() {
    this.#stop("cancelled");
    if (this.id) await callApi(`uploads/${this.id}/`, { method: "DELETE" }).catch(() => {});
  }

  #stop(state, message = "") {
    this.#become(state, message);
    this.#abort?.abort();
    this.#wake?.();
    this.#moving.clear();
  }

  #become(state, message = "") {
    if (this.state === "cancelled") return;
    this.state = state;
    this.message = message;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  async #open(signal) {
    this.fingerprint ??= await fingerprintOf(this.file);
    const upload = await callApi("uploads/", {
      method: "POST",
      signal,
      body: {
        organization: this.organization,
        filename: this.file.name,
        size_bytes: this.file.size,
        fingerprint: this.fingerprint,
      },
    });
    if (upload.id !== this.id) this.#checksums.clear();
    this.id = upload.id;
    this.partBytes = upload.part_size_bytes;
    this.partCount = upload.part_count;
    this.#arrived = new Map(upload.parts.map((part) => [part.number, part.checksum_sha256]));
    this.skippedBytes = 0;
    this.dispatchEvent(new Event("open"));
  }

  #sizeOf(number) {
    return Math.min(this.partBytes, this.file.size - (number - 1) * this.partBytes);
  }

  async #sendAll(signal) {
    const numbers = [];
    for (let number = 1; number <= this.partCount; number += 1) {
      if (!this.#checksums.has(number)) numbers.push(number);
    }
    // One lane that fails ends the others: they all share the connection that broke.
    const lanes = new AbortController();
    const together = AbortSignal.any([signal, lanes.signal]);
    const lane = async () => {
      while (numbers.length > 0) await this.#sendPart(numbers.shift(), together);
    };
    try {
      await Promise.all(Array.from({ length: PARALLEL }, lane));
    } finally {
      lanes.abort();
    }
  }

  async #sendPart(number, signal) {
    const start = (number - 1) * this.partBytes;
    const bytes = await this.file.slice(start, start + this.partBytes).arrayBuffer();
    const checksum = base64(await sha256(bytes));
    if (signal.aborted) throw new Paused();
    if (this.#arrived.get(number) === checksum) {
      this.skippedBytes += bytes.byteLength;
    } else {
      const [target] = await callApi(`uploads/${this.id}/part-urls/`, {
        method: "POST",
        signal,
        body: { parts: [{ number, checksum_sha256: checksum }] },
      });
      await put(target, bytes, signal, (loaded) => {
        this.#moving.set(number, loaded);
        this.#changed();
      });
    }
    this.#moving.delete(number);
    this.#checksums.set(number, checksum);
    this.#attempt = 0; // something got through
    this.#changed();
  }

  async #complete(signal) {
    const parts = Array.from({ length: this.partCount }, (_, index) => ({
      number: index + 1,
      checksum_sha256: this.#checksums.get(index + 1),
    }));
    await callApi(`uploads/${this.id}/complete/`, { method: "POST", signal, body: { parts, episode: this.episode } });
    this.#become("done");
  }

  /** Whether to try again, after waiting as long as it takes. */
  async #recover(error, signal) {
    if (error.name === "NotReadableError" || error.name === "NotFoundError") {
      this.#stop("failed", "The file was changed or moved while it was being sent. Choose it again.");
      return false;
    }
    if (!(error instanceof Refusal)) return this.#waitForConnection(signal);
    if (error.isTransient) return this.#waitForConnection(signal, error.message);
    this.#attempt += 1;
    if (["parts_differ", "upload_closed", "no_such_upload"].includes(error.code) && this.#attempt < 3) {
      this.#checksums.clear(); // the server knows better what it has
      return true;
    }
    if (["expired", "part_refused", "bad_signature"].includes(error.code) && this.#attempt < 5) return true;
    if (error.code === "not_authenticated") {
      this.#stop("stopped", "You have been signed out. Sign in again in another tab, then continue here.");
    } else {
      this.#stop(error.code === "too_large" ? "failed" : "stopped", error.message);
    }
    return false;
  }

  async #waitForConnection(signal, message = "") {
    this.#become("offline", message);
    this.#attempt += 1;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(backOff(this.#attempt), LONGEST_WAIT_OFFLINE_MS));
      this.#wake = () => (clearTimeout(timer), resolve());
    });
    this.#wake = null;
    return !signal.aborted;
  }
}
