// Parallel coordinates: an axis a field, a line a run, better up.
import { count } from "../format.js";
import { html } from "../html.js";
import { bestUp, cut, lettersAt, written } from "./axes.js";
import { styleOf } from "./lines-data.js";
import { Plot } from "./plot.js";

/** @typedef {import("./axes.js").Measure} Measure */

const HEIGHT = 320;
const LABELLED = 20; // lines that have their letter at the end
const PAD = { side: 70, top: 44, bottom: 26 };

/**
 * @param {{runs: Array<{id: string, letter: string, name: string, place: number}>, measures: Measure[]}} props
 *   measures: one an axis, in their order, with values in the order of the runs.
 */
export function Parallel({ runs, measures }) {
  return html`
    <${Plot}
      sentence=${`${count(runs.length)} runs over ${measures.map(({ name }) => name).join(", ")}; better is up.`}
      height=${HEIGHT}
      draw=${(width, height, at) => drawn(width, height, at, { runs, measures })}
      table=${() => html`<${Values} runs=${runs} measures=${measures} />`}
    >
      <p class="legend">Better is up; of what has no direction, more is up. A line breaks where a run has no value.</p>
    <//>
  `;
}

/** Where each run crosses each axis, run by run; a run that lacks a value has no place there. Pure. */
export function crossings(runs, measures, width, height) {
  const step = (width - 2 * PAD.side) / Math.max(1, measures.length - 1);
  const axes = measures.map(bestUp);
  return runs.map((run, index) =>
    measures.map((measure, axis) => {
      const share = axes[axis].at(measure.values[index]);
      if (share === null) return null;
      const text = `${run.letter} ${run.name}: ${measure.name} ${written(measure.values[index])}`;
      return { x: PAD.side + axis * step, y: PAD.top + (1 - share) * (height - PAD.top - PAD.bottom), text, run };
    }),
  );
}

function drawn(width, height, at, { runs, measures }) {
  const lines = crossings(runs, measures, width, height);
  const points = lines.flat().filter((point) => point !== null);
  const current = at === null ? null : points[Math.min(at, points.length - 1)]?.run;
  const step = (width - 2 * PAD.side) / Math.max(1, measures.length - 1);
  const drawing = (line, run) => {
    const { colour, dash } = styleOf(run.place);
    const look = current ? (current === run ? "current" : "other") : "";
    return html`<g class=${`run-line line-${colour} ${look}`}>
      <path d=${pathOf(line)} stroke-dasharray=${dash.join(" ") || undefined} />
      ${line.map((point) => point && html`<circle cx=${point.x} cy=${point.y} r="3" />`)}
    </g>`;
  };
  const order = [...runs.keys()].sort((a, b) => (runs[a] === current) - (runs[b] === current));
  const ends = current ? [lines[runs.indexOf(current)]] : runs.length <= LABELLED ? lines : [];
  const content = html`
    <g class="axis">${measures.map((_, axis) => html`<path d=${`M${PAD.side + axis * step} ${PAD.top}V${height - PAD.bottom}`} />`)}</g>
    ${order.map((index) => drawing(lines[index], runs[index]))}
    ${measures.map((measure, axis) => html`<${AxisTexts} measure=${measure} x=${PAD.side + axis * step} step=${step} isOdd=${axis % 2 === 1} height=${height} />`)}
    ${lettersAt(ends.map(lastOf).filter(Boolean)).map(({ x, y, letters }) => html`<text class="axis-name" x=${x - 8} y=${y + 4} text-anchor="end">${letters}</text>`)}
  `;
  return { content, points };
}

function AxisTexts({ measure, x, step, isOdd, height }) {
  const isClose = step < 110; // names then stand in two rows
  return html`<g class="axis">
    <text class="axis-name" x=${x} y=${isClose && isOdd ? 12 : 26} text-anchor="middle">
      ${cut(measure.name, Math.max(8, Math.floor((isClose ? 2 : 1) * (step / 7))))}
    </text>
    ${bestUp(measure).ticks.map(({ at, text }) => html`<text
      x=${x + 6}
      y=${PAD.top + (1 - at) * (height - PAD.top - PAD.bottom) + (at > 0.95 ? -4 : at < 0.05 ? 14 : 4)}
    >${cut(text, 12)}</text>`)}
  </g>`;
}

function lastOf(line) {
  const point = line.findLast((one) => one !== null);
  return point && { x: point.x, y: point.y, letter: point.run.letter };
}

function pathOf(line) {
  return line.map((point, index) => (point ? `${line[index - 1] ? "L" : "M"}${point.x} ${point.y}` : "")).join("");
}

function Values({ runs, measures }) {
  return html`<table>
    <thead><tr><th scope="col">Run</th>${measures.map(({ name }) => html`<th scope="col"><bdi>${name}</bdi></th>`)}</tr></thead>
    <tbody>${runs.map((run, index) => html`<tr>
      <th scope="row">${run.letter} <bdi>${run.name}</bdi></th>
      ${measures.map(({ values }) => html`<td class="number"><bdi>${written(values[index])}</bdi></td>`)}
    </tr>`)}</tbody>
  </table>`;
}
