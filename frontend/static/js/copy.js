// <copy-field>: a read-only address with a button that copies it.
import { announce } from "./toasts.js";

const SHOWN_MS = 2000;

async function copy(input) {
  try {
    await navigator.clipboard.writeText(input.value);
  } catch {
    // No clipboard permission, or an insecure origin: the older way needs a selection.
    input.select();
    return document.execCommand("copy");
  }
  return true;
}

class CopyField extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector("input");
    this.button = this.querySelector("[data-copy]");
    this.input.addEventListener("focus", () => this.input.select());
    this.button.addEventListener("click", () => this.#copied());
  }

  async #copied() {
    if (!(await copy(this.input))) return;
    const words = this.button.querySelector("[data-copy-text]");
    const use = this.button.querySelector("use");
    const before = { text: words.textContent, icon: use.getAttribute("href") };
    if (this.button.dataset.copied !== undefined) return;
    words.textContent = "Copied";
    use.setAttribute("href", before.icon.replace(/#.*/, "#check"));
    this.button.dataset.copied = "";
    announce("Copied to the clipboard");
    setTimeout(() => {
      words.textContent = before.text;
      use.setAttribute("href", before.icon);
      delete this.button.dataset.copied;
    }, SHOWN_MS);
  }
}

customElements.define("copy-field", CopyField);
