// Folds of walk forwards beside paths of CPCV: whether a result holds in each of them.
import { ask } from "../api.js";
import { Dots, groupOf } from "../chart/dots.js";
import { shortId } from "../format.js";
import { html } from "../html.js";
import { Shown } from "../parts/states.js";
import { useResource } from "../resource.js";
import { partKeys } from "./metrics.js";
import { written } from "./runs.js";
import { runHref, runsOf, strategyView } from "./view.js";

const [LATEST_FORWARD, LATEST_PATHS] = [2, 2];
const FIELDS = "run_id,run_name,start_time,status,metrics.*";

/** @param {{view: object, metric: string, direction: string | null, experiments: string}} props */
export function Folds({ view, metric, direction, experiments }) {
  const runs = useResource(
    (signal, fresh) => candidates({ id: view.id, metric, direction, experiments }, signal, fresh),
    [view.id, metric, direction, experiments],
  );
  return html`<section class="part" aria-labelledby="folds">
    <h2 id="folds">Folds beside CPCV paths</h2>
    <${Shown} resource=${runs} rows=${9}>
      ${({ forward, paths }) => html`<${Chosen} view=${view} metric=${metric} forward=${forward} paths=${paths} />`}
    <//>
  </section>`;
}

/** The best and the latest walk forwards, and the latest CPCV runs, each with what it is called here. */
async function candidates({ id, metric, direction, experiments }, signal, fresh) {
  const found = (type, order, size, more = "") =>
    ask("runs/search", {
      query: {
        filter: `${runsOf(id, type)} AND status = 'FINISHED'${more}`,
        order_by: order,
        page_size: size,
        fields: FIELDS,
        experiment_id: experiments,
      },
      signal,
      fresh,
    });
  const field = `metrics.${written(metric)}`;
  const order = { max: "desc", min: "asc" }[direction];
  const [best, latest, paths] = await Promise.all([
    order ? found("walk_forward", `${field} ${order}`, 1, ` AND ${field} IS NOT NULL`) : { data: { runs: [] } },
    found("walk_forward", "start_time desc", LATEST_FORWARD + 1),
    found("cpcv", "start_time desc", LATEST_PATHS),
  ]);
  const [top] = best.data.runs;
  const others = latest.data.runs.filter((run) => run.run_id !== top?.run_id).slice(0, LATEST_FORWARD);
  const named = (name, run) => ({ name: `${name} ${shortId(run.run_id)}`, run });
  return {
    data: {
      forward: [...(top ? [named("Best", top)] : []), ...others.map((run) => named("Latest", run))],
      paths: paths.data.runs.map((run) => named("CPCV", run)),
    },
    meta: latest.meta,
  };
}

function Chosen({ view, metric, forward, paths }) {
  const forwardKeys = keysOf(metric, forward, "fold");
  const pathKeys = keysOf(metric, paths, "path");
  const forwardKey = view.wf || forwardKeys[0] || "";
  const pathKey = view.cpcv || pathKeys[0] || "";
  return html`
    <div class="bar">
      <${KeyChoice} label="Of walk forwards" keys=${forwardKeys} chosen=${forwardKey} choose=${(key) => strategyView.change({ wf: key })} />
      <${KeyChoice} label="Of CPCV" keys=${pathKeys} chosen=${pathKey} choose=${(key) => strategyView.change({ cpcv: key })} />
    </div>
    <${Lacking} runs=${forward} chosen=${forwardKey} type="walk_forward" what="a value a fold, such as fold_oos_sharpe" />
    <${Lacking} runs=${paths} chosen=${pathKey} type="cpcv" what="a value a path, such as path_sharpe" />
    <${Read}
      metric=${[...new Set([forward.length && forwardKey, paths.length && pathKey].filter(Boolean))].join(" and ")}
      asked=${[
        ...forward.map((one) => ({ ...one, key: forwardKey })),
        ...paths.map((one) => ({ ...one, key: pathKey })),
      ].filter(({ run, key }) => key && Object.hasOwn(run.metrics, key))}
    />
  `;
}

function keysOf(metric, runs, part) {
  return partKeys(metric, [...new Set(runs.flatMap(({ run }) => Object.keys(run.metrics)))], part);
}

function KeyChoice({ label, keys, chosen, choose }) {
  if (!keys.length) return null;
  return html`<label>
    ${label}${" "}
    <select value=${chosen} onChange=${(event) => choose(event.target.value)}>
      ${!keys.includes(chosen) && html`<option value=${chosen}>${chosen}</option>`}
      ${keys.map((key) => html`<option value=${key}>${key}</option>`)}
    </select>
  </label>`;
}

function Lacking({ runs, chosen, type, what }) {
  if (!runs.length) return html`<p class="reason">No finished run of this strategy has <code>run_type</code> = <code>${type}</code>.</p>`;
  if (runs.some(({ run }) => chosen && Object.hasOwn(run.metrics, chosen))) return null;
  return html`<p class="reason">
    No <code>${type}</code> run that is looked at here has ${chosen ? html`<bdi>${chosen}</bdi>` : what}.
  </p>`;
}

function Read({ metric, asked }) {
  const folds = useResource(
    async (signal, fresh) => {
      const answers = await Promise.all(
        asked.map(({ run, key }) => ask(`runs/${encodeURIComponent(run.run_id)}/folds`, { query: { key }, signal, fresh })),
      );
      const groups = answers.map(({ data }, index) => groupOf(asked[index].name, data, runHref(data.run_id)));
      return { data: groups, meta: answers[0]?.meta ?? null };
    },
    [asked.map(({ run, key }) => `${run.run_id} ${key}`).join()],
  );
  if (!asked.length) return null;
  return html`<${Shown} resource=${folds} rows=${8}>
    ${(groups) => html`
      ${groups.length > 0 && html`<${Dots} metric=${metric} groups=${groups} />`}
      <p class="muted">Paths of CPCV share their data, so that their spread is no interval. Folds of a walk forward share none of their test data.</p>
    `}
  <//>`;
}
