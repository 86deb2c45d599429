// The page "Comparison".
import { html } from "../html.js";

export const title = "Comparison";

/** @param {{params: URLSearchParams}} props */
export function Page() {
  return html`<h1>Comparison</h1>`;
}
