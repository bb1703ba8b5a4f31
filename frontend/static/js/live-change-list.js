// A change list of Django's admin that keeps itself up to date: told that something changed, it fetches its own
// address and takes the rows over. Whoever is choosing rows for an action, or has a menu open, is left alone.
import { LiveFeed, WORDS } from "./live.js";

const REST_MS = 1500; // between two fetches: a busy list must stay readable
const RETRY_MS = 5000;
const QUIET_MS = 15_000; // between two sentences to a screen reader
const PARTS = [".actions", ".results", ".changelist-footer"];

class LiveList {
  #feed;
  #indicator;
  #toggle;
  #voice;
  #isPaused = false;
  #isBusy = false;
  #hasNews = false;
  #timer = 0;
  #fetchedAt = 0;
  #spokenAt = -QUIET_MS;
  #changed = 0;

  constructor(root) {
    this.#feed = new LiveFeed({ stream: root.dataset.liveList, pauses: true });
    this.#toggle = root.querySelector("[data-live-toggle]");
    this.#voice = root.querySelector("[data-live-voice]");
    this.#indicator = root.querySelector("[data-live-indicator]");
    this.#feed.addEventListener("state", () => this.#show());
    this.#feed.addEventListener("message", ({ detail }) => this.#heard(detail));
    this.#toggle.addEventListener("click", () => this.#pause(!this.#isPaused));
    // What was put off while somebody chose rows is made good for once they are done.
    const form = document.querySelector("#changelist-form");
    form?.addEventListener("change", () => this.#later());
    form?.addEventListener("focusout", () => this.#later());
    root.hidden = false;
    this.#show();
    this.#feed.open();
  }

  #show() {
    const state = this.#isPaused ? "paused" : this.#feed.state;
    this.#indicator.dataset.liveState = state;
    this.#indicator.querySelector("[data-live-text]").textContent = WORDS[state];
  }

  #pause(isPaused) {
    this.#isPaused = isPaused;
    this.#toggle.textContent = isPaused ? "Go on" : "Pause";
    this.#show();
    this.#later(0);
  }

  /** At "ready" as well: of what happened since the page was made nobody was told. */
  #heard() {
    this.#hasNews = true;
    this.#later();
  }

  #later(wait = Math.max(REST_MS - (performance.now() - this.#fetchedAt), 0)) {
    if (!this.#hasNews || this.#isPaused) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refresh(), wait);
  }

  async #refresh() {
    if (this.#isBusy || !this.#hasNews || this.#isPaused || isInUse()) return;
    this.#isBusy = true;
    this.#hasNews = false;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (isInUse() || wouldLoseChoice(fresh)) this.#hasNews = true;
      else this.#take(fresh);
      this.#fetchedAt = performance.now();
    } catch {
      this.#hasNews = true;
    } finally {
      this.#isBusy = false;
    }
    if (!isInUse()) this.#later(this.#hasNews ? RETRY_MS : undefined);
  }

  #take(fresh) {
    const [before, coming] = [rowsOf(document), rowsOf(fresh)];
    if (sameRows(before, coming)) return;
    const focused = whereFocusIs();
    const chosen = new Set(chosenValues());
    for (const part of PARTS) takePart(fresh, part);
    choose(chosen);
    const after = rowsOf(document);
    for (const [key, row] of after) {
      if (before.get(key)?.text === row.text) continue;
      this.#changed += 1;
      if (!before.has(key)) row.element.classList.add("is-new");
    }
    for (const key of before.keys()) if (!after.has(key)) this.#changed += 1;
    putFocus(focused);
    this.#speak();
  }

  #speak() {
    if (!this.#changed || performance.now() - this.#spokenAt < QUIET_MS) return;
    this.#voice.textContent = this.#changed === 1 ? "One row changed." : `${this.#changed} rows changed.`;
    this.#changed = 0;
    this.#spokenAt = performance.now();
  }
}

/** An action is being chosen: nothing may move under the hand. */
function isInUse() {
  if (document.querySelector("#changelist-form select[name=action]")?.value) return true;
  return Boolean(document.activeElement?.closest(".actions"));
}

function chosenValues(root = document) {
  return [...root.querySelectorAll("#result_list .action-select:checked")].map((box) => box.value);
}

/** A row that somebody ticked must not go from the page, and with it from their action. */
function wouldLoseChoice(fresh) {
  const there = new Set([...fresh.querySelectorAll("#result_list .action-select")].map((box) => box.value));
  return chosenValues().some((value) => !there.has(value));
}

/** Tick the new boxes as the old ones were, and let Django's own script know them. */
function choose(values) {
  const boxes = document.querySelectorAll("tr input.action-select");
  for (const box of boxes) {
    box.checked = values.has(box.value);
    box.closest("tr").classList.toggle("selected", box.checked);
  }
  if (!boxes.length || !globalThis.Actions) return;
  globalThis.Actions(boxes);
  dispatchEvent(new Event("pageshow")); // on which it counts what is ticked
}

/** The first rows of an empty list have nothing to replace, nor have the last ones anything to be replaced by. */
function takePart(fresh, selector) {
  const form = document.querySelector("#changelist-form");
  const [old, now] = [form.querySelector(selector), fresh.querySelector(`#changelist-form ${selector}`)];
  if (!now) old?.remove();
  else if (old) old.replaceWith(document.importNode(now, true));
  else form.querySelector(".changelist-footer")?.before(document.importNode(now, true));
}

function sameRows(some, others) {
  const texts = (rows) => JSON.stringify([...rows].map(([key, row]) => [key, row.text]));
  return texts(some) === texts(others);
}

function rowsOf(root) {
  const rows = new Map();
  for (const element of root.querySelectorAll("#result_list tbody tr")) {
    const key = element.querySelector("th a, td a")?.getAttribute("href") ?? element.textContent;
    rows.set(key, { element, text: element.textContent });
  }
  return rows;
}

function whereFocusIs() {
  const active = document.activeElement;
  if (!active?.closest(PARTS.join())) return null;
  return { href: active.getAttribute("href"), value: active.value, name: active.name };
}

function putFocus(place) {
  if (!place || document.activeElement !== document.body) return;
  const found = [...document.querySelectorAll("#changelist-form a, #changelist-form input")].find((element) =>
    place.href ? element.getAttribute("href") === place.href : element.name === place.name && element.value === place.value,
  );
  found?.focus({ preventScroll: true });
}

for (const root of document.querySelectorAll("[data-live-list]")) new LiveList(root);
