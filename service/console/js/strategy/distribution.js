// The trials' values as dots on one axis, with the best of noise and the best run.
import { Plot } from "../chart/plot.js";
import { extent, labels, linear, ticks } from "../chart/scale.js";
import { number, shortId } from "../format.js";
import { html } from "../html.js";
import { marksOf } from "./marks.js";
import { runHref } from "./view.js";

const [HEIGHT, BELOW, SIDE, MARK] = [150, 24, 16, 15];
const LETTER = 6.6; // pixels, about

/** @param {{report: object, metric: string, trials: import("./runs.js").Trial[]}} props */
export function Distribution({ report, metric, trials }) {
  const finite = trials.filter((one) => one.value !== null);
  if (!finite.length) return html`<p class="reason">No trial has a finite value of <bdi>${metric}</bdi>, so that there is nothing to draw.</p>`;
  const { best, noise, benchmark, reason } = marksOf(report);
  const marks = [
    { name: "best run", value: best, kind: "best" },
    { name: "expected best of noise", value: noise, kind: "noise" },
    { name: "benchmark of the DSR", value: benchmark, kind: "benchmark" },
  ].filter((one) => one.value !== null);
  const said = marks.map((one) => `${one.name} ${number(one.value)}`);
  return html`<${Plot}
    sentence=${`${metric} of ${finite.length} trials${said.length ? `: ${said.join(", ")}` : ""}.`}
    height=${HEIGHT + marks.length * MARK}
    draw=${(width) => drawn(width, finite, marks)}
    table=${() => html`<${Values} metric=${metric} trials=${finite} marks=${marks} />`}
  >
    <p class="legend">
      A dot is a trial, by its <bdi>${metric}</bdi>; higher dots only make room.
      ${noise === null && reason && html` The best of noise cannot be drawn: ${reason}`}
    </p>
  <//>`;
}

/**
 * Dots of this size beside and above each other, so that none covers another. Pure.
 * @param {number[]} xs pixels @param {number} size @returns {number[]} in which row each dot lies, from 0
 */
export function stacked(xs, size) {
  const heights = new Map();
  return xs.map((x) => {
    const bin = Math.round(x / size);
    const row = heights.get(bin) ?? 0;
    heights.set(bin, row + 1);
    return row;
  });
}

function drawn(width, trials, marks) {
  const range = extent([...trials.map((one) => one.value), ...marks.map((one) => one.value), 0]);
  const x = linear(range, [SIDE, width - SIDE]);
  const above = marks.length * MARK + 8;
  const floor = HEIGHT + marks.length * MARK - BELOW;
  const room = floor - above;
  const sorted = [...trials].sort((one, other) => one.value - other.value);
  const xs = sorted.map((one) => x(one.value));
  let size = 11;
  while (size > 2 && (Math.max(...stacked(xs, size)) + 1) * size > room) size -= 1;
  const rows = stacked(xs, size);
  const tall = Math.min(size, room / (Math.max(...rows) + 1));
  const points = sorted.map((trial, index) => ({
    x: Math.round(xs[index] / size) * size,
    y: floor - (rows[index] + 0.5) * tall,
    href: runHref(trial.id),
    text: `${trial.name} ${shortId(trial.id)}: ${number(trial.value)}`,
  }));
  const axis = ticks(range, Math.max(2, Math.floor(width / 110)));
  const names = labels(axis);
  const content = html`
    <line class="plot-zero" x1="0" x2=${width} y1=${floor} y2=${floor} />
    ${axis.map(
      (value, index) => html`
        <line class=${value === 0 ? "plot-zero" : "plot-grid"} x1=${x(value)} x2=${x(value)} y1=${above} y2=${floor + 4} />
        <text class="plot-tick" x=${x(value)} y=${floor + 18} text-anchor="middle">${names[index]}</text>
      `,
    )}
    ${points.map(({ x: cx, y: cy }) => html`<circle class="plot-dot" cx=${cx} cy=${cy} r=${Math.max(1, size / 2 - 0.5)} />`)}
    ${marks.map(({ name, value, kind }, index) => {
      const [at, y] = [x(value), 12 + MARK * index];
      const text = `${name} ${number(value)}`;
      const room = text.length * LETTER;
      const isLeft = at + room > width && at > room;
      const start = isLeft ? at - 5 : Math.min(at + 5, Math.max(0, width - room));
      return html`
        <line class="plot-mark" data-kind=${kind} x1=${at} x2=${at} y1=${y - 9} y2=${floor} />
        <text class="plot-mark-name" data-kind=${kind} x=${start} y=${y} text-anchor=${isLeft ? "end" : "start"}>
          ${text}
        </text>
      `;
    })}
  `;
  return { content, points };
}

function Values({ metric, trials, marks }) {
  const sorted = [...trials].sort((one, other) => other.value - one.value);
  return html`<table>
    <caption>Trials by <bdi>${metric}</bdi></caption>
    <thead><tr><th scope="col">Of</th><th scope="col" class="number">Value</th></tr></thead>
    <tbody>
      ${marks.map((one) => html`<tr><th scope="row">${one.name}</th><td class="number">${number(one.value)}</td></tr>`)}
      ${sorted.map(
        (one) => html`<tr>
          <th scope="row"><a href=${runHref(one.id)}><bdi>${one.name}</bdi> <code>${shortId(one.id)}</code></a></th>
          <td class="number">${number(one.value)}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}
