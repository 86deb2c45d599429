// What is chosen above the table: which fields are shown, in which order, and which way round.
import { html } from "../html.js";
import { SORTS, view } from "./view.js";

/** What the orders of metrics are called. */
export const SORT_NAMES = {
  order: "as logged",
  name: "by name",
  spread: "largest spread first",
  regression: "worst against the baseline first",
};

/** @param {{state: object, children: any}} props */
export function Tools({ state, children }) {
  return html`<div class="tools" role="group" aria-label="What the table shows">
    <input
      type="search"
      aria-label="Part of a field's name"
      placeholder="Find a field"
      value=${state.find}
      onInput=${(event) => view.change({ find: event.target.value }, { replace: true })}
    />
    <label>
      Metrics${" "}
      <select value=${state.sort} onChange=${(event) => view.change({ sort: event.target.value })}>
        ${SORTS.map((sort) => html`<option value=${sort}>${SORT_NAMES[sort]}</option>`)}
      </select>
    </label>
    <label>
      <input type="checkbox" checked=${state.diff} onChange=${(event) => view.change({ diff: event.target.checked })} />
      ${" "}Only differences
    </label>
    <button type="button" aria-pressed=${state.rows === "runs"} onClick=${() => transpose(state)}>Runs as rows</button>
    ${children}
  </div>`;
}

/** The other way round: runs as rows, or as columns. */
export function transpose(state) {
  view.change({ rows: state.rows === "runs" ? "fields" : "runs" });
}
