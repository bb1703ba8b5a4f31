// Numbers for people, written as templatetags/longwave.py writes them, and counters that roll to a new value.
const ROLL_MS = 600;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export const grouped = (number) => String(Math.round(number)).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");

export const counted = (count) => `${grouped(count)} download${count === 1 ? "" : "s"}`;

export function dataSize(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) {
    bytes /= 1000;
    unit += 1;
  }
  return `${bytes.toFixed(unit === 0 || bytes >= 100 ? 0 : 1)} ${units[unit]}`;
}

/** Rolls an element from its data-value to a new one; at once where motion is unwelcome. */
export function rollTo(element, value, write = grouped) {
  const from = Number(element.dataset.value) || 0;
  if (from === value) return;
  element.dataset.value = value;
  const number = element.firstChild;
  if (calm.matches || document.hidden) {
    number.data = write(value);
    return;
  }
  element.classList.remove("is-bumped");
  void element.offsetWidth; // restarts the animation
  element.classList.add("is-bumped");
  const start = performance.now();
  const frame = (now) => {
    if (Number(element.dataset.value) !== value) return; // a newer value is rolling
    const share = Math.min((now - start) / ROLL_MS, 1);
    number.data = write(from + (value - from) * (1 - (1 - share) ** 3));
    if (share < 1) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
