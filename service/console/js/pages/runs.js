// The page "Runs".
import { html } from "../html.js";

export const title = "Runs";

/** @param {{params: URLSearchParams}} props */
export function Page() {
  return html`<h1>Runs</h1>`;
}
