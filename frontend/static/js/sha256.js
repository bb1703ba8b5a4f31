// SHA-256 of pieces of a file: the browser's own where it is allowed, else in script.
const STEP_BYTES = 1 << 20;

const breathe = () => new Promise((resolve) => setTimeout(resolve));

/** crypto.subtle exists only on HTTPS and localhost; a home network's http://192.168… has none. */
async function inScript(bytes) {
  const { sha256 } = await import("../vendor/noble-hashes/sha2.js");
  const hash = sha256.create();
  for (let at = 0; at < bytes.length; at += STEP_BYTES) {
    hash.update(bytes.subarray(at, at + STEP_BYTES));
    await breathe(); // the page stays usable meanwhile
  }
  return hash.digest();
}

/** The digest of an ArrayBuffer as a Uint8Array. */
export async function sha256(buffer, subtle = globalThis.crypto?.subtle) {
  if (!subtle) return inScript(new Uint8Array(buffer));
  return new Uint8Array(await subtle.digest("SHA-256", buffer));
}

export const base64 = (bytes) => btoa(String.fromCharCode(...bytes));

export const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
