// The runs of a lineage: those that made what was asked for, and their session by run type in the order of time.
import { useState } from "preact/hooks";
import { count, shortId } from "../format.js";
import { html } from "../html.js";
import { Status, Time } from "../parts/states.js";
import { Wide } from "../parts/wide.js";
import { quoted, runHref, runsHref, strategyHref } from "../strategy/view.js";
import { lineageHref } from "./guess.js";

const SHOWN = 10; // runs before the reader asks for the rest
const TRAITS = {
  strategy: (value, exp) => strategyHref(value, exp),
  commit: (value, exp) => lineageHref(`git:${value}`, exp),
  dataset: (value, exp) => lineageHref(`dataset:${value}`, exp),
  features: (value, exp) => lineageHref(`feature:${value}`, exp),
  model: (value, exp) => lineageHref(`model:${value}`, exp),
  signal: (value, exp) => lineageHref(`signal:${value}`, exp),
};
const TAGS = {
  strategy: "strategy_id",
  dataset: "dataset_version",
  features: "feature_version",
  model: "model_version",
  signal: "signal_version",
};

/** The runs that made it, newest first. @param {{lineage: object, exp: string[]}} props */
export function Makers({ lineage: { runs, kind, ref }, exp }) {
  const types = new Set(runs.map((run) => run.tags.run_type ?? ""));
  return html`<section class="part" aria-labelledby="makers">
    <h2 id="makers">${kind === "run" ? "The run" : `${count(runs.length)} ${runs.length === 1 ? "run" : "runs"} of ${ref}`}</h2>
    <${Rows}
      rows=${runs}
      label="Runs"
      heads=${["Run", types.size > 1 && "Type", "Status", "Started", "Known by"].filter(Boolean)}
      row=${(run) => html`<tr>
        <${Name} run=${run} />
        ${types.size > 1 && html`<td><bdi>${run.tags.run_type ?? ""}</bdi></td>`}
        <td><${Status} status=${run.status} />${run.deleted && html` <span class="worse">deleted</span>`}</td>
        <td><${Time} ms=${run.start_time} /></td>
        <td>${run.evidence}, <code>${run.by}</code></td>
      </tr>`}
    />
  </section>`;
}

/** The session: the runs that share what that run comes from. @param {{session: object, exp: string[]}} props */
export function Session({ session, exp }) {
  const { traits, run_types: types, runs, run_id: id } = session;
  return html`<section class="part" aria-labelledby="session">
    <h2 id="session">The session: ${count(runs)} ${runs === 1 ? "run" : "runs"}</h2>
    <p class="muted">The runs that share what <a href=${runHref(id)}><code>${shortId(id)}</code></a> comes from, and differ in nothing that both say.</p>
    <dl class="session-traits">
      ${Object.entries(traits).map(
        ([trait, value]) => html`
          <dt>${trait}</dt>
          <dd>
            <a href=${TRAITS[trait](value, exp)}><bdi>${value}</bdi></a>
            ${TAGS[trait] && html`${" "}<a class="aside" href=${runsHref(`tags.${TAGS[trait]} = ${quoted(value)}`, exp)}>every run with it</a>`}
          </dd>
        `,
      )}
    </dl>
    <div class="session-types">${types.map(
      ({ run_type: type, runs: members }) => html`<div>
        <h3><bdi>${type}</bdi> (${count(members.length)})</h3>
        <${Rows}
          rows=${members}
          label=${`${type} runs of the session`}
          heads=${["Run", "Status", "Started", "Shares"]}
          row=${(run) => html`<tr>
            <${Name} run=${run} />
            <td><${Status} status=${run.status} /></td>
            <td><${Time} ms=${run.start_time} /></td>
            <td><${Shares} run=${run} traits=${Object.keys(traits)} /></td>
          </tr>`}
        />
      </div>`,
    )}</div>
  </section>`;
}

function Shares({ run: { shares, relation }, traits }) {
  if (relation === "itself") return html`<strong>the run itself</strong>`;
  const missing = traits.filter((trait) => !shares.includes(trait));
  const said = missing.length === 0 ? "everything" : shares.length ? shares.join(", ") : "nothing that it names";
  return html`${said}${missing.length > 0 && shares.length > 0 && html` <span class="muted">(not ${missing.join(", ")})</span>`}${relation && `; ${relation}`}`;
}

function Name({ run: { run_id: id, run_name: name } }) {
  return html`<th scope="row"><a href=${runHref(id)}><bdi>${name || "without a name"}</bdi> <code>${shortId(id)}</code></a></th>`;
}

function Rows({ rows, heads, row, label }) {
  const [isWhole, setWhole] = useState(false);
  return html`
    <${Wide} label=${label}>
      <table>
        <thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
        <tbody>${rows.slice(0, isWhole ? rows.length : SHOWN).map(row)}</tbody>
      </table>
    <//>
    ${rows.length > SHOWN &&
    html`<button type="button" class="quiet" onClick=${() => setWhole(!isWhole)}>
      ${isWhole ? "Show fewer" : `Show ${count(rows.length - SHOWN)} more`}
    </button>`}
  `;
}
