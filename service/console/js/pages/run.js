// The page "Run".
import { html } from "../html.js";

export const title = "Run";

/** @param {{params: URLSearchParams}} props */
export function Page() {
  return html`<h1>Run</h1>`;
}
