// The page "Health".
import { html } from "../html.js";

export const title = "Health";

/** @param {{params: URLSearchParams}} props */
export function Page() {
  return html`<h1>Health</h1>`;
}
