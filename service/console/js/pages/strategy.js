// The page "Strategy".
import { html } from "../html.js";

export const title = "Strategy";

/** @param {{params: URLSearchParams}} props */
export function Page() {
  return html`<h1>Strategy</h1>`;
}
