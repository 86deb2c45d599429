// The metrics of a run: each with its place among the strategy's runs, and its difference to a baseline.
import { useState } from "preact/hooks";
import { count, delta, exact, number, percent } from "../format.js";
import { html } from "../html.js";
import { comparison } from "./head.js";
import { DIRECTIONS, bestOf, ordinal, rankOf } from "./ranks.js";
import { isActive } from "./reading.js";
import { Strip } from "./strip.js";

/**
 * @param {{run: object, keys: string[], more: number, find: string, base: string, peers: object, comparison: object,
 *   change: (values: object) => void, showMore: () => void}} props
 *   keys: the metrics that are shown. more: how many others fit. peers, comparison: resources.
 *   change: of the view in the address. showMore: shows some of the others.
 */
export function Metrics({ run, keys, more, find, base, peers, compared, change, showMore }) {
  const all = Object.keys(run.metrics).length;
  if (all === 0) {
    const why = isActive(run) ? "This run has not logged a metric yet." : "This run has logged no metric.";
    return html`<section aria-labelledby="metrics"><h2 id="metrics">Metrics</h2><p class="muted">${why}</p></section>`;
  }
  return html`
    <section aria-labelledby="metrics">
      <h2 id="metrics">Metrics <span class="muted">${count(all)}</span></h2>
      <p class="run-tools">
        ${(all > 12 || find) &&
        html`<label>
          Find${" "}
          <input type="search" value=${find} onInput=${(event) => change({ find: event.target.value })} />
        </label>`}
        <${Baseline} key=${base} id=${run.run_id} base=${base} change=${change} />
      </p>
      ${keys.length === 0 && html`<p class="muted">No metric has “${find}” in its name.</p>`}
      ${keys.length > 0 &&
      html`<div class="run-wide" tabindex="0" role="region" aria-label="Metrics">
        <table class="run-metrics">
          <caption class="visually-hidden">The metrics of this run</caption>
          <thead>
            <tr>
              <th scope="col">Metric</th>
              <th scope="col" class="number">Value</th>
              ${base && html`<th scope="col" class="number">To the baseline</th>`}
              <th scope="col">Better</th>
              <th scope="col">${among(run, peers.data)}</th>
            </tr>
          </thead>
          <tbody>
            ${keys.map((key) => html`<${Row} ...${{ key, name: key, run, peers: peers.data, base, compared }} />`)}
          </tbody>
        </table>
      </div>`}
      ${more > 0 && html`<p><button type="button" onClick=${showMore}>Show more: ${count(more)} are left</button></p>`}
      <${Remarks} run=${run} peers=${peers} compared=${compared} base=${base} />
    </section>
  `;
}

function among({ tags }, peers) {
  if (!tags.strategy_id || !peers || peers.total < 2) return "Rank";
  const type = tags.run_type ? `${tags.run_type} ` : "";
  return html`Among ${count(peers.total ?? peers.ids.length)} <bdi>${type}</bdi>runs of the strategy`;
}

function Row({ name, run, peers, base, compared }) {
  const value = run.metrics[name];
  const { direction = null, rule = null } = peers?.directions.get(name) ?? {};
  const values = peers?.values.get(name) ?? [];
  return html`<tr>
    <th scope="row"><bdi>${name}</bdi></th>
    <td class="number" title=${exact(value)}>${number(value)}</td>
    ${base && html`<${Delta} data=${compared.data} id=${run.run_id} name=${name} />`}
    <td class="run-better muted" title=${rule ? `by the rule ${rule}` : "no rule fits the name, so higher is taken as better"}>
      ${DIRECTIONS[direction] ?? ""}${direction && !rule && "?"}
    </td>
    <td class="run-rank">
      <${Place} id=${run.run_id} value=${value} values=${values} ids=${peers?.ids ?? []} direction=${direction} />
    </td>
  </tr>`;
}

// The strip of all runs, and which place this one has.
function Place({ id, value, values, ids, direction }) {
  const others = values.filter((one, i) => Number.isFinite(one) && ids[i] !== id);
  if (!Number.isFinite(value) || others.length === 0) return null;
  const finite = [...others, value]; // of this run the value that is shown, which may be newer
  const place = rankOf(value, finite, direction);
  const text = place ? `${ordinal(place.rank)} of ${count(place.of)}${place.ties ? ", tied" : ""}` : "";
  const best = place && place.rank > 1 ? bestOf(values, direction) : -1;
  return html`
    <${Strip} value=${value} values=${finite} sentence=${text} />
    ${text && html`<span>${text}</span>`}
    ${best >= 0 && html`<a href=${comparison(id, ids[best])}>best ${number(values[best])}</a>`}
  `;
}

function Delta({ data, id, name }) {
  const analysis = data && Object.hasOwn(data.metrics, name) ? data.metrics[name] : undefined;
  const change = analysis?.deltas[id];
  if (!change || change.absolute === null) return html`<td class="number muted" title=${change?.reason ?? ""}>–</td>`;
  const verdict = { true: "better", false: "worse" }[change.better] ?? "";
  const arrow = change.absolute > 0 ? "▲" : change.absolute < 0 ? "▼" : "";
  return html`<td class=${`number ${verdict}`} title=${exact(change.absolute)}>
    <span aria-hidden="true">${arrow}</span> ${delta(change.absolute)}
    ${change.relative !== null && html` <span>(${change.relative > 0 ? "+" : ""}${percent(change.relative)})</span>`}
    <span class="visually-hidden">${verdict}</span>
  </td>`;
}

function Baseline({ id, base, change }) {
  const [text, setText] = useState(base);
  const submit = (event) => {
    event.preventDefault();
    change({ base: text.trim() === id ? "" : text.trim() });
  };
  return html`<form class="run-baseline" onSubmit=${submit}>
    <label>Baseline${" "}<input placeholder="id of a run" value=${text} onInput=${(event) => setText(event.target.value)} /></label>${" "}
    <button>Compare</button>
    ${base && html`${" "}<button type="button" onClick=${() => change({ base: "" })}>None</button>`}
  </form>`;
}

function Remarks({ run, peers, compared, base }) {
  const remarks = [];
  if (peers.error) remarks.push(`Ranks and directions cannot be had: ${peers.error.detail}`);
  else if (!run.tags.strategy_id) remarks.push("This run has no tag strategy_id, so there are no runs to rank it among.");
  else if (peers.data?.total === 1) remarks.push("There is no other run of its strategy and type to rank it among.");
  if (peers.data && peers.data.total > peers.data.ids.length && run.tags.strategy_id) {
    remarks.push(`Ranked among the newest ${count(peers.data.ids.length)} of ${count(peers.data.total)} runs.`);
  }
  if (base && compared.error) remarks.push(`The baseline cannot be compared with: ${compared.error.detail}`);
  return remarks.map((text) => html`<p class="muted" role="status">${text}</p>`);
}
