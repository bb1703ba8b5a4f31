// Which message is the newest, whatever order they come in, and no number that falls without a reason.
const GROWING = ["total"];
const GROWING_TODAY = ["today", "week", "month"];
// Whoever is further behind than this has another clock, not an old message.
const LATE_MS = 60_000;

/** What may only grow, as long as nothing was recounted and (for some) the day is the same. */
function neverLess(message, last) {
  const names = message.day_ends_at === last.day_ends_at ? [...GROWING, ...GROWING_TODAY] : GROWING;
  const kept = {};
  for (const name of names) {
    if (typeof message[name] === "number" && typeof last[name] === "number") kept[name] = Math.max(message[name], last[name]);
  }
  const episodes = { ...message.episodes };
  for (const [id, total] of Object.entries(last.episodes ?? {})) episodes[id] = Math.max(total, episodes[id] ?? 0);
  return { ...message, ...kept, ...(message.episodes && { episodes }) };
}

/** Begins with what the page shows; `accept` returns what to show now, or null for an older message. */
export class Order {
  #last;

  constructor(shown) {
    this.#last = shown;
  }

  accept(message) {
    const behind = this.#last.sequence - message.sequence;
    if (behind > 0 && behind < LATE_MS) return null;
    // While Valkey is away nobody knows of a recount: as if there were none.
    const epoch = message.epoch ?? this.#last.epoch;
    const isRecounted = this.#last.epoch !== null && epoch !== this.#last.epoch;
    this.#last = { ...(isRecounted ? message : neverLess(message, this.#last)), epoch };
    return this.#last;
  }
}
