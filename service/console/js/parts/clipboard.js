// Copying a text to the clipboard, and a button that does.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";

const SAID = 2000; // ms
const COPIED = "copied";

/**
 * Copy a text. Where a page came over plain HTTP, browsers have no navigator.clipboard, and a selection is copied.
 * @param {string} text
 * @returns {Promise<void>} rejected with an Error whose message is for the reader, where the browser does not allow it
 */
export async function copyText(text) {
  const isCopied = navigator.clipboard
    ? await navigator.clipboard.writeText(text).then(
        () => true,
        () => false,
      )
    : copySelected(text);
  if (!isCopied) throw new Error("The browser does not let this page copy.");
}

// In a dialog that is modal nothing outside of it can be selected.
function copySelected(text) {
  const active = document.activeElement;
  const field = document.createElement("textarea");
  field.className = "visually-hidden";
  field.readOnly = true;
  field.value = text;
  (document.querySelector("dialog:modal") ?? document.body).append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  active?.focus();
  return isCopied;
}

/**
 * A button that copies a text, and says that it has, or that the browser does not allow it.
 * @param {{text: string, what: string, label?: string}} props what: for a reader who only hears "Copy"
 */
export function Copy({ text, what, label = "Copy" }) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (said !== COPIED) return undefined;
    const timer = setTimeout(() => setSaid(""), SAID);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = () =>
    copyText(text).then(
      () => setSaid(COPIED),
      (error) => setSaid(error.message),
    );
  return html`
    <button type="button" class="quiet" onClick=${copy} aria-label=${`${label} ${what}`}>${label}</button>${" "}
    <span class="muted" role="status">${said}</span>
  `;
}
