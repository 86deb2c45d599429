// What is wrong with a lineage, and what is missing in it: contradictions, gaps, uncommitted code.
import { count, number, shortId } from "../format.js";
import { html } from "../html.js";
import { Wide } from "../parts/wide.js";
import { runHref } from "../strategy/view.js";

const TITLES = {
  dataset_digest: "One version of a dataset has several contents",
  results: "The same code, parameters and data have different results",
  commit: "A run names two commits",
};
const SHOWN = 5; // runs of a variant

/** What runs say that cannot all be true. @param {{contradictions: object[]}} props */
export function Contradictions({ contradictions }) {
  return contradictions.map(
    ({ kind, text, what, shared, variants, absolute, relative }) => html`
      <section class="contradiction" role="alert">
        <h2><span aria-hidden="true">⚠ </span>${TITLES[kind] ?? "A contradiction"}</h2>
        <p>${text}</p>
        ${absolute !== null && html`<p>They are ${number(absolute)} apart${relative !== null && `, ${number(relative * 100)} % of the larger one`}.</p>`}
        <${Wide} label="Values that contradict each other">
          <table>
            <thead><tr><th scope="col"><bdi>${what}</bdi></th><th scope="col" class="number">Runs</th><th scope="col">Which</th></tr></thead>
            <tbody>
              ${variants.map(
                (one) => html`<tr>
                  <td>${typeof one.value === "number" ? number(one.value) : html`<code><bdi>${one.value ?? "NaN"}</bdi></code>`}</td>
                  <td class="number">${count(one.runs)}</td>
                  <td><${Ids} ids=${one.run_ids} runs=${one.runs} /></td>
                </tr>`,
              )}
            </tbody>
          </table>
        <//>
        <p class="muted">
          In common:${" "}
          ${Object.entries(shared).map(([name, value], index) => html`${index > 0 && ", "}<bdi>${name}</bdi> = <bdi>${value}</bdi>`)}
        </p>
      </section>
    `,
  );
}

/** Links to some runs. @param {{ids: string[], runs?: number}} props runs: how many there are */
export function Ids({ ids, runs = ids.length }) {
  const shown = ids.slice(0, SHOWN);
  const compared = ids.length > 1 && ids.length <= 10;
  return html`
    ${shown.map((id, index) => html`${index > 0 && " "}<a href=${runHref(id)}><code>${shortId(id)}</code></a>`)}
    ${runs > shown.length && ` and ${count(runs - shown.length)} more`}
    ${compared && html`${" "}<a href=${`compare?ids=${ids.join(",")}`}>compare</a>`}
  `;
}

/**
 * What runs say of their lineage and what they do not, runs that say the same together. Pure.
 * @param {object[]} completeness as `GET /lineage` answers it
 * @returns {Array<{ids: string[], missing: string[], standIns: object, isUncommitted: boolean | null, by: string | null,
 *   datasets: number, seeds: number}>} those with the most gaps first
 */
export function gapsOf(completeness) {
  const groups = new Map();
  for (const one of completeness) {
    const gap = {
      missing: one.missing,
      standIns: one.stand_ins,
      isUncommitted: one.has_uncommitted_changes,
      by: one.uncommitted_by,
      datasets: Math.min(1, one.datasets),
      seeds: Math.min(1, one.seeds.length),
    };
    const key = JSON.stringify(gap);
    const group = groups.get(key) ?? { ids: [], ...gap };
    group.ids.push(one.run_id);
    groups.set(key, group);
  }
  const weight = (gap) => gap.missing.length + (gap.isUncommitted ? 10 : 0);
  return [...groups.values()].sort((one, other) => weight(other) - weight(one));
}

/** What is there, what is missing, and whether the code was committed. @param {{lineage: object}} props */
export function Completeness({ lineage: { completeness } }) {
  const gaps = gapsOf(completeness);
  return html`<section class="part" aria-labelledby="gaps">
    <h2 id="gaps">What is missing</h2>
    <ul class="gaps">${gaps.map((gap) => html`<${Gap} gap=${gap} />`)}</ul>
  </section>`;
}

function Gap({ gap: { ids, missing, standIns, isUncommitted, by, datasets, seeds } }) {
  const stands = Object.entries(standIns);
  const who = ids.length === 1 ? html`The run <${Ids} ids=${ids} />` : html`${count(ids.length)} runs (<${Ids} ids=${ids} />)`;
  return html`<li>
    ${who}:${" "}
    ${missing.length
      ? html`<span class="warning inline">lacks ${missing.map((tag, index) => html`${index > 0 && ", "}<code>${tag}</code>`)}</span>`
      : html`<span class="better">every lineage tag is there</span>`}
    ${stands.length > 0 && html`; ${stands.map(([tag, name]) => html`<code>${name}</code> stands in for <code>${tag}</code>`)}`}
    ;${" "}
    ${isUncommitted === true && html`<strong class="worse">its code had changes that were not committed</strong>`}
    ${isUncommitted === false && "its code was committed"}
    ${isUncommitted === null && html`<span class="muted">no tag says whether its code was committed</span>`}
    ${by && html` (<code>${by}</code>)`}
    ${datasets === 0 && html`; <span class="muted">MLflow has recorded no dataset as its input</span>`}
    ${seeds === 0 && html`; <span class="muted">no param is a seed</span>`}
  </li>`;
}
