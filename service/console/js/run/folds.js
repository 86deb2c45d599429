// What the folds of a run say: a dot for each, their mean with its interval, the worst, the share above 0.
import { useState } from "preact/hooks";
import { Dots, groupOf } from "../chart/dots.js";
import { html } from "../html.js";
import { Shown } from "../parts/states.js";
import { useFolds } from "./reading.js";

/** @param {{run: object, keys: string[], version: string}} props keys: of metrics that folds may have logged */
export function Folds({ run, keys, version }) {
  const [chosen, setChosen] = useState(keys[0]);
  const key = keys.includes(chosen) ? chosen : keys[0];
  const folds = useFolds(run.run_id, key, version);
  return html`
    <section aria-labelledby="folds">
      <h2 id="folds">Folds</h2>
      <p class="run-tools">
        <label>
          Metric${" "}
          <select value=${key} onChange=${(event) => setChosen(event.target.value)}>
            ${keys.map((one) => html`<option value=${one}>${one}</option>`)}
          </select>
        </label>
      </p>
      <${Shown} resource=${folds} rows=${7}>
        ${(data) => html`<${Dots} metric=${data.key} groups=${[groupOf(run.run_name || run.run_id, data)]} />`}
      <//>
    </section>
  `;
}
