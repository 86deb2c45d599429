// The page "Runs": the runs of an experiment that match a filter, as a table.
import { useEffect, useMemo } from "preact/hooks";
import { count } from "../format.js";
import { html } from "../html.js";
import { orderOf } from "../runs/fields.js";
import { Rows } from "../runs/rows.js";
import { view } from "../runs/view.js";

export const title = "Runs";

/** @param {{params: URLSearchParams}} props */
export function Page({ params }) {
  const state = view.read(params);
  const rows = useMemo(() => new Rows(), []);
  const order = orderOf(state.sort);
  useEffect(() => {
    rows.load({ q: state.q, exp: state.exp, order, names: [] });
  }, [state.q, state.exp.join(), order]);
  return html`
    <div class="runs-bar">
      <h1>Runs</h1>
      <input value=${state.q} aria-label="Filter" onChange=${(event) => view.change({ q: event.target.value })} />
    </div>
    <div class="runs-body">
      <p>${count(rows.total.value ?? 0)} runs</p>
    </div>
  `;
}
