// What a run comes from, in one row: data, features, model, signal, code; and what else belongs to it.
import { count, shortId } from "../format.js";
import { html } from "../html.js";
import { Failure } from "../parts/states.js";

const VERSIONS = [
  ["dataset_version", "Data", "dataset"],
  ["feature_version", "Features", "feature"],
  ["model_version", "Model", "model"],
  ["signal_version", "Signal", "signal"],
];
const TITLES = { training: "Training", walk_forward: "Walk forward", cpcv: "CPCV", backtest: "Backtest" };

/** @param {{run: object, lineage: object}} props lineage: a resource */
export function Origin({ run, lineage: { data, error, reload } }) {
  return html`
    <section aria-labelledby="origin">
      <h2 id="origin">Lineage</h2>
      ${error && !data && html`<${Failure} error=${error} retry=${reload} />`}
      <${Versions} tags=${run.tags} id=${run.run_id} />
      ${data && html`<${Rest} data=${data} id=${run.run_id} />`}
      <p><a href=${`lineage?ref=${encodeURIComponent(run.run_id)}`}>The whole lineage</a></p>
    </section>
  `;
}

function titleOf(type) {
  return Object.hasOwn(TITLES, type ?? "") ? TITLES[type] : (type ?? "This run");
}

function Versions({ tags, id }) {
  return html`<ol class="run-origin">
    ${VERSIONS.map(([tag, title, kind]) => html`<${Version} title=${title} kind=${kind} value=${tags[tag]} tag=${tag} />`)}
    <li aria-current="true">
      <span class="muted"><bdi>${titleOf(tags.run_type)}</bdi></span>
      <a href=${`lineage?ref=${encodeURIComponent(id)}`}><code>${shortId(id)}</code></a>
    </li>
  </ol>
  <dl class="run-code">
    <dt>Code</dt>
    <dd>
      ${tags.git_commit
        ? html`<a href=${`lineage?ref=${encodeURIComponent(`git:${tags.git_commit}`)}`}><bdi>${tags.git_commit}</bdi></a>`
        : html`<span class="muted">no tag <code>git_commit</code></span>`}
    </dd>
  </dl>`;
}

function Version({ title, kind, value, tag }) {
  return html`<li data-missing=${value === undefined}>
    <span class="muted">${title}</span>
    ${value === undefined
      ? html`<span class="muted">no tag <code>${tag}</code></span>`
      : html`<a href=${`lineage?ref=${encodeURIComponent(`${kind}:${value}`)}`}><bdi>${value}</bdi></a>`}
  </li>`;
}

function Rest({ data, id }) {
  const known = data.completeness.find((one) => one.run_id === id);
  const others = data.session.run_types.map(({ run_type: type, runs }) => [type, runs]);
  return html`
    ${known?.has_uncommitted_changes && html`<p class="worse">Its code had changes that were not committed.</p>`}
    ${data.contradictions.map((one) => html`<p class="worse">${one.text}</p>`)}
    <p>
      Session of ${count(data.session.runs)} ${data.session.runs === 1 ? "run" : "runs"}:${" "}
      ${others.map(
        ([type, runs], i) => html`${i > 0 && ", "}${count(runs.length)} <bdi>${type || "without a type"}</bdi>`,
      )}
    </p>
  `;
}
