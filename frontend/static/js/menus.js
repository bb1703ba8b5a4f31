// <details data-menu>: closes on Escape, on a click elsewhere and when focus leaves; arrows walk the items.
const openMenus = () => document.querySelectorAll("details[data-menu][open]");

function close(menu, { refocus = false } = {}) {
  menu.open = false;
  if (refocus) menu.querySelector("summary").focus();
}

function walk(menu, step) {
  const items = [...menu.querySelectorAll("a.menu__item, button.menu__item")];
  if (items.length === 0) return;
  const at = items.indexOf(document.activeElement);
  const next = at === -1 && step < 0 ? items.length - 1 : (at + step + items.length) % items.length;
  items[next].focus();
}

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) {
    if (!menu.contains(event.target)) close(menu);
  }
});

document.addEventListener("focusin", (event) => {
  for (const menu of openMenus()) {
    if (!menu.contains(event.target)) close(menu);
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details[data-menu]");
  if (!menu?.open) return;
  if (event.key === "Escape") {
    close(menu, { refocus: true });
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    walk(menu, event.key === "ArrowDown" ? 1 : -1);
  }
});
