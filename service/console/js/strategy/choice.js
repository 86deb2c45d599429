// What a reader chooses: a metric.
import { html } from "../html.js";
import { keyOf } from "./metrics.js";

/**
 * A choice of a metric, with the number of runs that have it; those of known direction first.
 * @param {{metrics: object[], metric: string, choose: (key: string) => void}} props
 *   metrics: as `GET /runs/fields` lists them.
 */
export function MetricChoice({ metrics, metric, choose }) {
  const isKnown = metrics.some((field) => keyOf(field) === metric);
  return html`<label>
    Metric${" "}
    <select value=${metric} onChange=${(event) => choose(event.target.value)}>
      ${!isKnown && html`<option value=${metric}>${metric ? `${metric} (no run)` : "none"}</option>`}
      ${metrics.map((field) => html`<option value=${keyOf(field)}>${keyOf(field)} (${field.runs})</option>`)}
    </select>
  </label>`;
}
