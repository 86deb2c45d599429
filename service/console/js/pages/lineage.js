// The page "Lineage".
import { html } from "../html.js";

export const title = "Lineage";

/** @param {{params: URLSearchParams}} props */
export function Page() {
  return html`<h1>Lineage</h1>`;
}
