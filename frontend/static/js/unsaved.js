// form[data-unsaved]: leaving the page with something typed but not saved asks first.
const dirty = new Set();
for (const form of document.querySelectorAll('form[data-unsaved="refused"]')) dirty.add(form);

// On the document: fields may stand outside their form and belong to it by their `form` attribute.
for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.form;
    if (form?.matches("[data-unsaved]")) dirty.add(form);
  });
}

document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented) dirty.delete(event.target);
});

addEventListener("beforeunload", (event) => {
  if (dirty.size > 0) event.preventDefault();
});
