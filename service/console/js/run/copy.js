// A button that copies a text, and says that it has.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";

const SAID = 2000; // ms

/** @param {{text: string, what: string, label?: string}} props what: for a reader who only hears "Copy" */
export function Copy({ text, what, label = "Copy" }) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (!said) return undefined;
    const timer = setTimeout(() => setSaid(""), SAID);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = () => {
    // Over plain HTTP browsers have no clipboard for pages of other machines.
    if (!navigator.clipboard) return setSaid("the browser allows it over https only");
    return navigator.clipboard.writeText(text).then(
      () => setSaid("copied"),
      () => setSaid("the browser does not allow it"),
    );
  };
  return html`
    <button type="button" class="quiet" onClick=${copy} aria-label=${`${label} ${what}`}>${label}</button>
    <span class="muted" role="status">${said}</span>
  `;
}
