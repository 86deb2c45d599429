// Is the best run more than luck? The service's verdict, with all that it comes from.
import { count, number, shortId } from "../format.js";
import { html } from "../html.js";
import { Failure, Shown, Skeleton } from "../parts/states.js";
import { Declared } from "./declared.js";
import { Distribution } from "./distribution.js";
import { Statistics } from "./statistics.js";
import { runHref } from "./view.js";

const TITLES = { more_than_luck: "More than luck", luck: "No more than luck", undecided: "Undecided" };
const [VERDICT, STATISTICS] = [16, 24]; // rows that these take, about, so that nothing moves when they come
const SIGNS = { more_than_luck: "✓", luck: "✕", undecided: "?" };

/**
 * @param {{view: object, metric: string, report: object, trials: object}} props
 *   report: the resource of `GET /strategies/{id}/selection`. trials: the resource of `trialsOf`.
 */
export function Luck({ view, metric, report, trials }) {
  const isRefused = report.error?.status === 422;
  const lacks = report.data?.sharpe.reason ?? report.data?.psr.reason;
  return html`<section class="part" aria-labelledby="luck">
    <h2 id="luck">Is the best run more than luck?</h2>
    ${isRefused
      ? html`<${Failure} error=${report.error} />`
      : html`<${Shown} resource=${report} rows=${VERDICT}>
          ${(data) => html`<${Verdict} report=${data} metric=${metric} trials=${trials} />`}
        <//>`}
    <${Declared} key=${`${view.unit} ${view.ppy} ${view.obs}`} view=${view} isOpen=${isRefused || Boolean(lacks)} />
    ${report.data && !isRefused && html`<${Statistics} report=${report.data} />`}
    ${!report.data && !report.error && html`<${Skeleton} rows=${STATISTICS} isVisible=${report.isWaiting} />`}
  </section>`;
}

function Verdict({ report, metric, trials }) {
  const { verdict, best_run_id: best, warnings } = report;
  const value = trials.data?.trials.find((one) => one.id === best)?.value;
  return html`
    <div class="verdict" data-code=${verdict.code}>
      <h3><span aria-hidden="true">${SIGNS[verdict.code] ?? "?"} </span>${TITLES[verdict.code] ?? verdict.code}</h3>
      <p>${verdict.text}</p>
      <p>
        ${best
          ? html`Best run: <a href=${runHref(best)}><code>${shortId(best)}</code></a>${value !== undefined && html`, <bdi>${metric}</bdi> ${number(value)}`}. `
          : "There is no best run. "}
        <${Counted} trials=${report.trials} />
      </p>
    </div>
    ${trials.data && html`<${Distribution} report=${report} metric=${metric} trials=${trials.data.trials} />`}
    ${warnings.map((text) => html`<p class="warning">${text}</p>`)}
  `;
}

function Counted({ trials }) {
  const parts = [
    [trials.distinct, "distinct"],
    [trials.failed, "failed"],
    [trials.running, "running"],
    [trials.deleted ?? 0, "deleted"],
  ].filter(([n, name]) => n > 0 && !(name === "distinct" && n === trials.all));
  const others = Object.entries(trials.other_run_types);
  return html`
    ${count(trials.all)} ${trials.all === 1 ? "trial" : "trials"}${trials.run_types.length > 0 && html` (<bdi>${trials.run_types.join(", ")}</bdi>)`}${parts.length > 0 && `, of which ${parts.map(([n, name]) => `${count(n)} ${name}`).join(", ")}`}.
    ${trials.parts > 0 && ` ${count(trials.parts)} parts of trials count with their parent.`}
    ${others.length > 0 && html` No trials of this metric: ${others.map(([type, n], index) => html`${index > 0 && ", "}${count(n)}${" "}<bdi>${type}</bdi>`)}.`}
    ${trials.deleted_reason && html` <span class="reason">${trials.deleted_reason}</span>`}
  `;
}
