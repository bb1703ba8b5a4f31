// [data-confirm] on a form or on one of its buttons asks first, in the page's <dialog>.
//   data-confirm="Delete “Episode 4”?"  data-confirm-text="It stays in the trash for 30 days."
//   data-confirm-yes="Delete"  data-confirm-no="Keep it"
const dialog = document.getElementById("confirm-dialog");
let pending = null;

function ask(source, form, submitter) {
  pending = { form, submitter };
  dialog.querySelector("#confirm-title").textContent = source.dataset.confirm;
  dialog.querySelector("#confirm-text").textContent = source.dataset.confirmText ?? "";
  const [no, yes] = dialog.querySelectorAll("button");
  yes.textContent = source.dataset.confirmYes ?? "Delete";
  no.textContent = source.dataset.confirmNo ?? "Keep it";
  dialog.returnValue = "no";
  dialog.showModal();
}

if (dialog) {
  // In the capture phase: htmx must not send what was not confirmed.
  document.addEventListener(
    "submit",
    (event) => {
      const source = event.submitter?.closest("[data-confirm]") ?? event.target.closest("[data-confirm]");
      if (!source || event.target.dataset.confirmed !== undefined) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      ask(source, event.target, event.submitter);
    },
    true,
  );

  dialog.addEventListener("close", () => {
    const { form, submitter } = pending ?? {};
    pending = null;
    if (!form || dialog.returnValue !== "yes") return;
    form.dataset.confirmed = "";
    form.requestSubmit(submitter ?? undefined);
    delete form.dataset.confirmed;
  });

  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close("no");
  });
}
