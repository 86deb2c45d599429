// Values of folds or paths: a dot each, in their order, with mean, interval and the worst; groups beside each other.
import { number, percent } from "../format.js";
import { html } from "../html.js";
import { Wide } from "../parts/wide.js";
import { Plot } from "./plot.js";
import { extent, labels, linear, ticks } from "./scale.js";

const AXIS = 44; // pixels for the numbers
const NARROWEST = 150; // pixels of a group; where they are fewer, groups stand below each other
const ROW = 210;
const [ABOVE, BELOW] = [26, 24];
const UNITS = { folds: "fold", paths: "path", epochs: "epoch" };

/**
 * @typedef {{
 *   name: string, unit: string, href?: string, direction: string | null,
 *   values: Array<{step: number, value: number | null}>,
 *   mean: number | null, sd: number | null, low: number | null, high: number | null,
 *   worst: {step: number, value: number} | null, share: number | null, reason: string, warnings: string[],
 * }} Group
 *   unit: what a step is. value: null where it is no finite number. low and high: the 95 % interval of the mean.
 *   reason: why something is missing, or "".
 */

/**
 * What `GET /runs/{id}/folds` answers, as a group of dots.
 * @param {string} name what the group is called @param {object} answer @param {string} [href] where its dots lead
 * @returns {Group}
 */
export function groupOf(name, answer, href) {
  return {
    name,
    href,
    unit: UNITS[answer.axis.value] ?? "step",
    direction: answer.direction,
    values: answer.values,
    mean: answer.mean,
    sd: answer.sd,
    low: answer.ci_low,
    high: answer.ci_high,
    worst: answer.worst,
    share: answer.share_positive,
    reason: answer.reason?.text ?? "",
    warnings: answer.warnings,
  };
}

/**
 * What is left without the one best value: null where there is no mean, or no direction that says which is the best.
 * A single value carries the mean where less than half of it is left.
 * @param {Group} group
 * @returns {{step: number, value: number, mean: number, carries: boolean} | null}
 */
export function withoutBest({ values, mean, direction }) {
  const finite = values.filter((one) => one.value !== null);
  if (mean === null || finite.length < 2 || (direction !== "max" && direction !== "min")) return null;
  const sign = direction === "max" ? 1 : -1;
  const best = finite.reduce((one, other) => (sign * other.value > sign * one.value ? other : one));
  const rest = (mean * finite.length - best.value) / (finite.length - 1);
  return { ...best, mean: rest, carries: direction === "max" && mean > 0 && rest < mean / 2 };
}

/** The dots of each group, and what they come to. @param {{metric: string, groups: Group[]}} props */
export function Dots({ metric, groups }) {
  return html`
    <${Plot}
      sentence=${sentenceOf(metric, groups)}
      height=${(width) => rowsOf(width, groups.length).rows * ROW}
      draw=${(width) => drawn(width, groups)}
      table=${() => html`<${Values} metric=${metric} groups=${groups} />`}
    >
      <p class="legend">
        Line: mean. Band: its 95 % interval. Bracket: one standard deviation each way. Ring: the worst.
      </p>
    <//>
    <${Summary} metric=${metric} groups=${groups} />
  `;
}

/** What the groups come to, in numbers. @param {{metric: string, groups: Group[]}} props */
export function Summary({ metric, groups }) {
  const notes = groups.flatMap(({ name, reason, warnings }) =>
    [reason, ...warnings].filter(Boolean).map((text) => ({ name, text })),
  );
  return html`
    <${Wide} label="What the folds come to">
      <table class="dots-summary">
        <caption class="visually-hidden"><bdi>${metric}</bdi>, summed up</caption>
        <thead>
          <tr>
            <th scope="col">Of</th><th scope="col" class="number">n</th><th scope="col" class="number">Mean ± sd</th>
            <th scope="col" class="number">95 % interval</th><th scope="col">Worst</th>
            <th scope="col" class="number">Share > 0</th><th scope="col">Without the best one</th>
          </tr>
        </thead>
        <tbody>${groups.map((group) => html`<${Sum} group=${group} />`)}</tbody>
      </table>
    <//>
    ${notes.map(({ name, text }) => html`<p class="reason"><bdi>${name}</bdi>: ${text}</p>`)}
  `;
}

function Sum({ group }) {
  const { name, href, unit, values, mean, sd, low, high, worst, share, reason } = group;
  const rest = withoutBest(group);
  const finite = values.filter((one) => one.value !== null).length;
  const lacking = values.length - finite;
  const why = reason || "cannot be had";
  return html`<tr>
    <th scope="row">${href ? html`<a href=${href}><bdi>${name}</bdi></a>` : html`<bdi>${name}</bdi>`}</th>
    <td class="number">${finite}${lacking > 0 && html` <span class="muted">(${lacking} NaN)</span>`}</td>
    <td class="number">${mean === null ? html`<${None} why=${why} />` : `${number(mean)}${sd === null ? "" : ` ± ${number(sd)}`}`}</td>
    <td class="number">${low === null ? html`<${None} why=${why} />` : `${number(low)} to ${number(high)}`}</td>
    <td>${worst ? `${number(worst.value)} (${unit} ${worst.step})` : html`<${None} why=${why} />`}</td>
    <td class="number">${share === null ? html`<${None} why=${why} />` : percent(share)}</td>
    <td class=${rest?.carries ? "lucky" : ""}>
      ${rest
        ? `mean ${number(rest.mean)}${rest.carries ? `: ${unit} ${rest.step} (${number(rest.value)}) carries the mean` : ""}`
        : html`<${None} why=${why} />`}
    </td>
  </tr>`;
}

function None({ why }) {
  return html`<span class="muted" title=${why}>–</span>`;
}

function Values({ metric, groups }) {
  return html`<table>
    <caption><bdi>${metric}</bdi></caption>
    <thead><tr><th scope="col">Of</th><th scope="col">Step</th><th scope="col" class="number">Value</th></tr></thead>
    <tbody>
      ${groups.flatMap((group) =>
        group.values.map(
          (one) => html`<tr>
            <td><bdi>${group.name}</bdi></td>
            <td>${group.unit} ${one.step}</td>
            <td class="number">${number(one.value)}${group.worst?.step === one.step ? " (worst)" : ""}</td>
          </tr>`,
        ),
      )}
    </tbody>
  </table>`;
}

/** The plot in a sentence. @param {string} metric @param {Group[]} groups */
export function sentenceOf(metric, groups) {
  const each = groups.map(({ name, unit, values, mean, worst }) => {
    const beginning = `${name}: ${values.length} ${unit}${values.length === 1 ? "" : "s"}`;
    return mean === null ? beginning : `${beginning}, mean ${number(mean)}${worst ? `, worst ${number(worst.value)}` : ""}`;
  });
  return `${metric}. ${each.join("; ")}.`;
}

/** How many groups stand beside each other, and in how many rows. Pure. */
export function rowsOf(width, count) {
  const fit = Math.max(1, Math.min(count, Math.floor((width - AXIS) / NARROWEST)));
  const rows = Math.max(1, Math.ceil(count / fit));
  return { rows, columns: Math.max(1, Math.ceil(count / rows)) };
}

function drawn(width, groups) {
  const { rows, columns } = rowsOf(width, groups.length);
  const all = groups.flatMap(({ values, low, high }) => [...values.map((one) => one.value), low ?? NaN, high ?? NaN]);
  const range = extent([...all.map((one) => one ?? NaN), 0]);
  const axis = ticks(range, 5);
  const panel = (width - AXIS) / columns;
  const points = [];
  const content = Array.from({ length: rows }, (_, row) => {
    const y = linear(range, [(row + 1) * ROW - BELOW, row * ROW + ABOVE]);
    const names = labels(axis);
    return html`<g>
      ${axis.map(
        (value, index) => html`
          <line class=${value === 0 ? "plot-zero" : "plot-grid"} x1=${AXIS} x2=${width} y1=${y(value)} y2=${y(value)} />
          <text class="plot-tick" x=${AXIS - 6} y=${y(value) + 4} text-anchor="end">${names[index]}</text>
        `,
      )}
      ${groups
        .slice(row * columns, (row + 1) * columns)
        .map((group, index) => drawnGroup(group, row * columns + index, AXIS + index * panel, panel, y, row, points))}
    </g>`;
  });
  return { content, points };
}

function drawnGroup(group, index, left, width, y, row, points) {
  const { name, unit, values, mean, sd, low, high, worst, href } = group;
  const inner = [left + 14, left + width - 30];
  const x = linear([0, Math.max(1, values.length - 1)], inner);
  const radius = Math.max(1.5, Math.min(5, (inner[1] - inner[0]) / values.length / 2.2));
  const bottom = (row + 1) * ROW - BELOW;
  const marks = values.map(({ step, value }, order) => {
    const at = { x: values.length === 1 ? (inner[0] + inner[1]) / 2 : x(order), y: value === null ? bottom : y(value) };
    points.push({ ...at, href, text: `${name}, ${unit} ${step}: ${number(value)}` });
    if (value === null) return html`<text class="plot-nan" x=${at.x} y=${at.y - 2} text-anchor="middle">×</text>`;
    const isWorst = worst?.step === step;
    return html`
      <circle class="plot-dot" data-line=${index % 4} cx=${at.x} cy=${at.y} r=${radius} />
      ${isWorst && html`<circle class="plot-worst" cx=${at.x} cy=${at.y} r=${radius + 3} />`}
    `;
  });
  const end = left + width - 18;
  return html`<g>
    ${low !== null && html`<rect class="plot-band" data-line=${index % 4} x=${inner[0] - 8} width=${inner[1] - inner[0] + 16} y=${y(high)} height=${Math.max(1, y(low) - y(high))} />`}
    ${mean !== null && html`<line class="plot-mean" data-line=${index % 4} x1=${inner[0] - 8} x2=${inner[1] + 8} y1=${y(mean)} y2=${y(mean)} />`}
    ${mean !== null && sd !== null && html`<path class="plot-bracket" d=${`M${end - 4} ${y(mean - sd)}H${end}V${y(mean + sd)}H${end - 4}`} />`}
    ${marks}
    <text class="plot-name" x=${left + 6} y=${row * ROW + 14}>${shortened(name, width)}</text>
    <text class="plot-tick" x=${(inner[0] + inner[1]) / 2} y=${bottom + 16} text-anchor="middle">
      ${values.length === 1 ? `1 ${unit}` : `${values.length} ${unit}s, in order`}
    </text>
  </g>`;
}

function shortened(name, width) {
  const most = Math.max(6, Math.floor(width / 7.2));
  return name.length > most ? `${name.slice(0, most - 1)}…` : name;
}
