// One strategy: what was tried, whether the best of it is more than luck, and which change did it.
import { ask } from "../api.js";
import { count } from "../format.js";
import { html } from "../html.js";
import { componentOf, later } from "../later.js";
import { Shown, Status, Time } from "../parts/states.js";
import { useResource } from "../resource.js";
import { MetricChoice } from "./choice.js";
import { Luck } from "./luck.js";
import { defaultMetric, foldMetric, keyOf } from "./metrics.js";
import { trialsOf } from "./runs.js";
import { Trials } from "./trials.js";
import { quoted, runsHref, runsOf, strategyView } from "./view.js";

const Folds = componentOf(later(() => import("./folds.js")), "Folds");
const Drivers = componentOf(later(() => import("./drivers.js")), "Drivers");

/** @param {{params: URLSearchParams}} props */
export function Strategy({ params }) {
  const view = strategyView.read(params);
  const experiment_id = view.exp.join();
  const filter = runsOf(view.id);
  const known = useResource(
    async (signal, fresh) => {
      const [list, fields] = await Promise.all([
        ask("strategies", { query: { filter, experiment_id }, signal, fresh }),
        ask("runs/fields", { query: { filter, kind: "metrics", experiment_id }, signal, fresh }),
      ]);
      return { data: { strategy: list.data.strategies[0], metrics: fields.data.fields }, meta: list.meta };
    },
    [filter, experiment_id],
  );
  return html`
    <p class="crumbs"><a href="strategy">All strategies</a></p>
    <h1>Strategy <bdi>${view.id}</bdi></h1>
    <${Shown} resource=${known} rows=${12}>
      ${({ strategy, metrics }) =>
        strategy
          ? html`<${Known} view=${view} strategy=${strategy} metrics=${metrics} />`
          : html`<${Unknown} id=${view.id} />`}
    <//>
  `;
}

function Unknown({ id }) {
  return html`<section class="nothing">
    <h2>No run belongs to this strategy</h2>
    <p>No run that is known here has the tag <code>strategy_id</code> = <code><bdi>${id}</bdi></code>.</p>
    <p>
      It may be in another experiment, or all its runs may have been deleted. <a href="strategy">Show all strategies</a>, or
      those${" "}<a href=${`strategy?q=${encodeURIComponent(id.slice(0, 8))}`}>whose id has <bdi>${id.slice(0, 8)}</bdi></a>.
    </p>
  </section>`;
}

function Known({ view, strategy, metrics }) {
  const metric = view.metric || defaultMetric(metrics);
  const types = Object.keys(strategy.run_types).sort();
  const direction = metrics.find((field) => keyOf(field) === metric)?.direction ?? null;
  return html`
    <${Head} strategy=${strategy} exp=${view.exp} />
    <div class="bar">
      <${MetricChoice} metrics=${metrics} metric=${metric} choose=${(key) => strategyView.change({ metric: key })} />
      <label>
        Run type${" "}
        <select value=${view.type} onChange=${(event) => strategyView.change({ type: event.target.value })}>
          <option value="">all that log the metric</option>
          ${types.map((type) => html`<option value=${type}>${type}</option>`)}
        </select>
      </label>
    </div>
    ${metric
      ? html`<${Judged} key=${`${metric} ${view.type}`} view=${view} metric=${metric} direction=${direction} foldMetric=${view.wf || foldMetric(metric, metrics)} />`
      : html`<section class="nothing">
          <h2>No run of this strategy has logged a metric yet</h2>
          <p>What is tried can be judged once a run logs, for example, <code>oos_sharpe</code>.</p>
        </section>`}
  `;
}

// Of one metric and run type: what is read of another one never stands beside it.
function Judged({ view, metric, direction, foldMetric: folds }) {
  const experiments = view.exp.join();
  const query = {
    metric,
    run_type: view.type,
    unit: view.unit,
    periods_per_year: view.ppy,
    observations: view.obs,
    fold_metric: folds,
    experiment_id: experiments,
  };
  const report = useResource(
    (signal, fresh) => ask(`strategies/${encodeURIComponent(view.id)}/selection`, { query, signal, fresh }),
    [view.id, ...Object.values(query)],
  );
  const trials = useResource(
    (signal, fresh) => trialsOf({ id: view.id, type: view.type, metric, experiments }, signal, fresh),
    [view.id, view.type, metric, experiments],
  );
  return html`
    <${Luck} view=${view} metric=${metric} report=${report} trials=${trials} />
    <${Trials} metric=${metric} direction=${direction} report=${report} trials=${trials} />
    <${Folds} view=${view} metric=${metric} direction=${direction} experiments=${experiments} />
    <${Drivers} view=${view} metric=${metric} experiments=${experiments} />
  `;
}

function Head({ strategy, exp }) {
  const { strategy_id: id, runs, run_types: types, statuses } = strategy;
  const link = (filter, text) => html`<a href=${runsHref(filter, exp)}>${text}</a>`;
  return html`<dl class="strategy-head">
    <dt>Runs</dt>
    <dd>${link(runsOf(id), `${count(runs)} ${runs === 1 ? "run" : "runs"}`)}</dd>
    <dt>Run types</dt>
    <dd class="listed">
      ${Object.entries(types)
        .sort(([, one], [, other]) => other - one)
        .map(([type, n]) => html`<span>${typeLink(id, type, n, link)}</span>`)}
    </dd>
    <dt>Statuses</dt>
    <dd class="listed">
      ${Object.entries(statuses)
        .filter(([, n]) => n > 0)
        .map(
          ([status, n]) => html`<span>
            ${link(`${runsOf(id)} AND status = ${quoted(status)}`, count(n))}${" "}<${Status} status=${status} />
          </span>`,
        )}
    </dd>
    <dt>First started</dt>
    <dd><${Time} ms=${strategy.first_start_time} /></dd>
    <dt>Last started</dt>
    <dd><${Time} ms=${strategy.last_start_time} /></dd>
  </dl>`;
}

// "unknown" is what the API calls runs without the tag.
function typeLink(id, type, n, link) {
  const filter = type === "unknown" ? `${runsOf(id)} AND tags.run_type IS NULL` : runsOf(id, type);
  return html`${link(filter, count(n))}${" "}<bdi>${type}</bdi>`;
}
