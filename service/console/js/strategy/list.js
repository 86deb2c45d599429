// All strategies: how much was tried for each, when, and what a metric comes to.
import { useState } from "preact/hooks";
import { ask } from "../api.js";
import { linear } from "../chart/scale.js";
import { count, exact, number, shortId } from "../format.js";
import { html } from "../html.js";
import { Shown, Time } from "../parts/states.js";
import { Wide } from "../parts/wide.js";
import { useResource } from "../resource.js";
import { MetricChoice } from "./choice.js";
import { defaultMetric, keyOf } from "./metrics.js";
import { filterOf, listView, orderOf, runHref, strategyHref } from "./view.js";

const WIDTH = 120; // pixels of an interval

/** @param {{params: URLSearchParams}} props */
export function List({ params }) {
  const view = listView.read(params);
  const experiments = view.exp.join();
  const fields = useResource(
    (signal) => ask("runs/fields", { query: { kind: "metrics", experiment_id: experiments }, signal }),
    [experiments],
  );
  return html`
    <h1>Strategies</h1>
    <${Shown} resource=${fields} rows=${8}>
      ${(data) => html`<${Found} view=${view} metrics=${data.fields} />`}
    <//>
  `;
}

function Found({ view, metrics }) {
  const metric = view.metric || defaultMetric(metrics);
  const written = metrics.find((field) => keyOf(field) === metric)?.written;
  const query = {
    metrics: metric,
    filter: filterOf(view.q),
    order_by: orderOf(view.sort, written),
    page_token: view.after,
    experiment_id: view.exp.join(),
  };
  const found = useResource((signal, fresh) => ask("strategies", { query, signal, fresh }), Object.values(query));
  return html`
    <div class="bar">
      <${Filter} key=${view.q} text=${view.q} />
      <${MetricChoice} metrics=${metrics} metric=${metric} choose=${(key) => listView.change({ metric: key, after: "" })} />
    </div>
    ${view.q && query.filter !== view.q.trim() && html`<p class="muted">Shown: <code>${query.filter}</code></p>`}
    <${Shown} resource=${found} rows=${8}>
      ${(data) => html`<${Strategies} data=${data} view=${view} metric=${metric} />`}
    <//>
  `;
}

function Filter({ text }) {
  const [typed, setTyped] = useState(text);
  const submit = (event) => {
    event.preventDefault();
    listView.change({ q: typed.trim(), after: "" });
  };
  return html`<form role="search" onSubmit=${submit}>
    <label>
      Filter${" "}
      <input
        type="search"
        value=${typed}
        placeholder="a part of the id, or tags.dataset_version = 'v3'"
        onInput=${(event) => setTyped(event.target.value)}
      />
    </label>
    <button>Filter</button>
  </form>`;
}

function Strategies({ data, view, metric }) {
  const { strategies, total, next_page_token: next } = data;
  if (!strategies.length) return html`<${Nothing} isFiltered=${Boolean(view.q)} />`;
  const summaries = strategies.map((one) => one.metrics[metric]).filter((one) => one?.n);
  const range = [
    Math.min(0, ...summaries.map((one) => one.ci_low ?? one.mean)),
    Math.max(0, ...summaries.map((one) => one.ci_high ?? one.mean)),
  ];
  const heads = [
    ["key", "Strategy"],
    ["runs", "Runs", "number"],
    [null, "Run types"],
    ["last_start_time", "Last started"],
    ["n", "n", "number"],
    ["mean", "Mean", "number"],
    [null, "95 % interval of the mean"],
    ["max", "Max", "number"],
    [null, "Best run"],
  ];
  return html`
    <${Wide} label="Strategies">
      <table class="strategies">
        <caption>${count(total)} ${total === 1 ? "strategy" : "strategies"}${metric && html`; n, mean and max are of <bdi>${metric}</bdi>`}</caption>
        <thead><tr>${heads.map(([name, text, kind]) => html`<${Head} name=${name} text=${text} kind=${kind} sort=${view.sort} />`)}</tr></thead>
        <tbody>
          ${strategies.map((one) => html`<${Row} strategy=${one} summary=${one.metrics[metric]} range=${range} exp=${view.exp} />`)}
        </tbody>
      </table>
    <//>
    <p class="pages">
      ${view.after && html`<a href=${`strategy${listView.query({ after: "" })}`}>First page</a>${" "}`}
      ${next && html`<a href=${`strategy${listView.query({ after: next })}`} rel="next">Next page</a>`}
    </p>
  `;
}

function Head({ name, text, kind, sort }) {
  if (!name) return html`<th scope="col" class=${kind}>${text}</th>`;
  const isSorted = sort.replace(/^-/, "") === name;
  const isDescending = sort.startsWith("-");
  const next = isSorted && isDescending ? name : `-${name}`;
  return html`<th scope="col" class=${kind} aria-sort=${isSorted ? (isDescending ? "descending" : "ascending") : undefined}>
    <button type="button" class="quiet" onClick=${() => listView.change({ sort: next, after: "" })}>
      ${text}${isSorted && html`<span aria-hidden="true"> ${isDescending ? "↓" : "↑"}</span>`}
    </button>
  </th>`;
}

function Row({ strategy, summary, range, exp }) {
  const { strategy_id: id, runs, statuses, run_types: types } = strategy;
  const failed = (statuses.FAILED ?? 0) + (statuses.KILLED ?? 0);
  return html`<tr>
    <th scope="row"><a href=${strategyHref(id, exp)}><bdi>${id}</bdi></a></th>
    <td class="number">
      ${count(runs)}
      ${statuses.RUNNING > 0 && html`<span class="status below" data-status="RUNNING">${count(statuses.RUNNING)} running</span>`}
      ${failed > 0 && html`<span class="status below" data-status="FAILED">${count(failed)} failed</span>`}
    </td>
    <td>${Object.entries(types).map(([type, n], index) => html`${index > 0 && ", "}${count(n)}${" "}<bdi>${type}</bdi>`)}</td>
    <td><${Time} ms=${strategy.last_start_time} /></td>
    ${summary?.n
      ? html`
          <td class="number">${count(summary.n)}</td>
          <td class="number" title=${exact(summary.mean)}>${number(summary.mean)}</td>
          <td><${Interval} low=${summary.ci_low} mean=${summary.mean} high=${summary.ci_high} range=${range} why="an interval needs 2 runs" /></td>
          <td class="number" title=${exact(summary.max)}>${number(summary.max)}</td>
          <td>
            ${summary.best_run_id
              ? html`<a href=${runHref(summary.best_run_id)}><code>${shortId(summary.best_run_id)}</code></a>`
              : html`<span class="muted">no value is best</span>`}
          </td>
        `
      : html`<td class="number">0</td><td colspan="4" class="muted">no run logs it</td>`}
  </tr>`;
}

/**
 * A mean with its interval, as a dot on a line with zero, and in numbers.
 * @param {{low: number | null, mean: number, high: number | null, range: [number, number], why: string}} props
 *   range: of all that stand below each other, zero included. why: there is no interval.
 */
export function Interval({ low, mean, high, range, why }) {
  const x = linear(range, [6, WIDTH - 6]);
  const isClear = low !== null && (low > 0 || high < 0);
  return html`<span class="interval">
    <svg width=${WIDTH} height="18" aria-hidden="true">
      <line class="plot-zero" x1=${x(0)} x2=${x(0)} y1="1" y2="17" />
      ${low !== null && html`<line class="interval-line" x1=${x(low)} x2=${x(high)} y1="9" y2="9" />`}
      <circle class=${isClear ? "interval-dot" : "interval-dot unclear"} cx=${x(mean)} cy="9" r="4" />
    </svg>
    ${" "}${low === null ? html`<span class="muted">${why}</span>` : html`<span>${number(low)} to ${number(high)}</span>`}
  </span>`;
}

function Nothing({ isFiltered }) {
  return html`<section class="nothing">
    ${isFiltered
      ? html`<h2>No strategy has a run that matches</h2>
          <p><a href=${`strategy${listView.query({ q: "", after: "" })}`}>Show all strategies</a></p>`
      : html`<h2>No run belongs to a strategy yet</h2>
          <p>Runs belong to a strategy by their tag <code>strategy_id</code>:</p>
          <pre tabindex="0">mlflow.set_tags({"strategy_id": "momentum", "run_type": "walk_forward"})</pre>`}
  </section>`;
}
