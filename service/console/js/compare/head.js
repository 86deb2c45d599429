// A run in the head of the comparison: what it is called, what tells it from the others, and what can be done with it.
import { styleOf } from "../chart/lines-data.js";
import { shortId, time, zone } from "../format.js";
import { html } from "../html.js";
import { Status } from "../parts/states.js";
import { preferences } from "../preferences.js";

/** The letter of a run in its colour; the same in the table, the plots and the warnings. */
export function Letter({ run }) {
  return html`<b class="letter" data-colour=${styleOf(run.place).colour}>${run.letter}</b>`;
}

/**
 * @param {{run: object, isFirst: boolean, isLast: boolean, act: (what: string, run: object) => void,
 *   earlier: string, later: string}} props
 *   act: "base", "earlier", "later" or "remove". isFirst, isLast: there is no place to move to.
 *   earlier, later: where these lie: left and right, or up and down.
 */
export function RunHead({ run, isFirst, isLast, act, earlier, later }) {
  const button = (what, text, label, isDisabled = false) => html`<button
    type="button"
    data-act=${what}
    title=${label}
    aria-label=${`${label}: run ${run.letter}`}
    disabled=${isDisabled}
    onClick=${() => act(what, run)}
  >${text}</button>`;
  const name = run.name || "run";
  const { isUtc } = preferences.value;
  const started = run.startMs === null ? "" : `, started ${time(run.startMs, isUtc)} ${zone(isUtc, run.startMs)}`;
  return html`
    <div class="run-head">
      <div class="run-name">
        <${Letter} run=${run} />${" "}
        <a href=${`run?id=${encodeURIComponent(run.id)}`} title=${`${name} ${run.id}${started}`}><bdi>${name}</bdi> <code>${shortId(run.id)}</code></a>
      </div>
      <div class="run-differs" title=${run.differs}><bdi>${run.differs}</bdi></div>
      <div class="run-status">
        ${run.isDeleted && html`<span class="wrong">deleted</span>`}${" "}
        ${run.status && html`<${Status} status=${run.status} />`}
        ${run.isBaseline && html`${" "}<span class="chip">baseline</span>`}
      </div>
      <div class="run-acts">
        ${!run.isBaseline && button("base", "Baseline", "Make it the baseline")}
        ${!run.isBaseline && button("earlier", earlier === "left" ? "\u2190" : "\u2191", `Move ${earlier}`, isFirst)}
        ${!run.isBaseline && button("later", later === "right" ? "\u2192" : "\u2193", `Move ${later}`, isLast)}
        ${button("remove", "\u2715", "Leave it out")}
      </div>
    </div>
  `;
}
