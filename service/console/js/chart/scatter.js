// A dot a run: one field across, another one up, and the runs that no other beats.
import { count } from "../format.js";
import { html } from "../html.js";
import { axisOf, cut, lettersAt, listed, written } from "./axes.js";
import { styleOf } from "./lines-data.js";
import { Plot } from "./plot.js";

/** @typedef {import("./axes.js").Measure} Measure */

const HEIGHT = 340;
const PAD = { left: 64, right: 24, top: 16, bottom: 46 };
const LABELLED = 40; // dots that have their letter beside them

/**
 * @param {{runs: Array<{id: string, letter: string, name: string, place: number, isBaseline: boolean}>,
 *   x: Measure, y: Measure, front: Set<string>, frontName: string, isOfAxes: boolean}} props
 *   x, y: values in the order of the runs. front: ids of the runs that no other beats. frontName: by what.
 *   isOfAxes: by what x and y are, so that the front is a line.
 */
export function Scatter({ runs, x, y, front, frontName, isOfAxes }) {
  const sentence = sentenceOf(runs, x, y, front);
  const lacking = runs.filter((_, index) => !isThere(x.values[index]) || !isThere(y.values[index]));
  return html`
    <${Plot} sentence=${sentence} height=${HEIGHT} draw=${(width, height) => drawn(width, height, { runs, x, y, front, isOfAxes })} table=${() => html`<${Values} ...${{ runs, x, y, front }} />`}>
      <p class="legend">
        Square: the baseline.${front.size > 0 && ` Ring: no other run beats it by ${frontName}.`}${isOfAxes && front.size > 1 && " Dashed: the front."}
        ${lacking.length > 0 && ` Not drawn, for want of a finite value: ${listed(lacking)}.`}
      </p>
    <//>
  `;
}

/** What a scatter shows, in a sentence. Pure. */
export function sentenceOf(runs, x, y, front) {
  const drawnRuns = runs.filter((_, index) => isThere(x.values[index]) && isThere(y.values[index]));
  const beaten = front.size ? ` ${listed(runs.filter(({ id }) => front.has(id)))} ${front.size === 1 ? "is" : "are"} beaten by no other run.` : "";
  return `${y.name} over ${x.name} of ${count(drawnRuns.length)} runs.${beaten}`;
}

function drawn(width, height, { runs, x, y, front, isOfAxes }) {
  const [across, up] = [axisOf(x, Math.max(2, Math.floor(width / 110))), axisOf(y)];
  const left = (share) => PAD.left + share * (width - PAD.left - PAD.right);
  const top = (share) => height - PAD.bottom - share * (height - PAD.top - PAD.bottom);
  const dots = runs
    .map((run, index) => ({ run, x: across.at(x.values[index]), y: up.at(y.values[index]), index }))
    .filter((dot) => dot.x !== null && dot.y !== null)
    .map((dot) => ({ ...dot, x: left(dot.x), y: top(dot.y) }));
  const points = [...dots].sort((a, b) => a.x - b.x).map((dot) => ({
    x: dot.x,
    y: dot.y,
    href: `run?id=${encodeURIComponent(dot.run.id)}`,
    text: `${dot.run.letter} ${dot.run.name}: ${x.name} ${written(x.values[dot.index])}, ${y.name} ${written(y.values[dot.index])}${front.has(dot.run.id) ? ", beaten by no other run" : ""}`,
  }));
  const labelled = dots.length <= LABELLED ? lettersAt(dots.map((dot) => ({ ...dot, letter: dot.run.letter }))) : [];
  const content = html`
    <g class="axis">
      <path d=${`M${left(0)} ${top(1)}V${top(0)}H${left(1)}`} />
      ${across.ticks.map(({ at, text }) => html`<path class="grid-line" d=${`M${left(at)} ${top(0)}V${top(1)}`} />
        <text x=${left(at)} y=${top(0) + 16} text-anchor="middle">${cut(text, 14)}</text>`)}
      ${up.ticks.map(({ at, text }) => html`<path class="grid-line" d=${`M${left(0)} ${top(at)}H${left(1)}`} />
        <text x=${left(0) - 6} y=${top(at) + 4} text-anchor="end">${cut(text, 9)}</text>`)}
      <text class="axis-name" x=${left(0.5)} y=${height - 8} text-anchor="middle">${cut(x.name, 60)}</text>
      <text class="axis-name" transform=${`translate(12 ${top(0.5)}) rotate(-90)`} text-anchor="middle">${cut(y.name, 40)}</text>
    </g>
    ${isOfAxes && html`<path class="front" d=${lineOf(dots.filter(({ run }) => front.has(run.id)))} />`}
    ${dots.map(({ run, x: cx, y: cy }) => html`<g class=${`dot line-${styleOf(run.place).colour}`}>
      ${run.isBaseline ? html`<rect x=${cx - 5} y=${cy - 5} width="10" height="10" />` : html`<circle cx=${cx} cy=${cy} r="5" />`}
      ${front.has(run.id) && html`<circle class="ring" cx=${cx} cy=${cy} r="9" />`}
    </g>`)}
    ${labelled.map(({ x: cx, y: cy, letters }) => html`<text class="axis-name" x=${cx + 10} y=${cy - 6}>${letters}</text>`)}
  `;
  return { content, points };
}

function lineOf(dots) {
  const sorted = [...dots].sort((a, b) => a.x - b.x);
  return sorted.map((dot, index) => `${index ? "L" : "M"}${dot.x} ${dot.y}`).join("");
}

function Values({ runs, x, y, front }) {
  return html`<table>
    <thead><tr><th scope="col">Run</th><th scope="col"><bdi>${x.name}</bdi></th><th scope="col"><bdi>${y.name}</bdi></th><th scope="col">Beaten by another</th></tr></thead>
    <tbody>${runs.map((run, index) => html`<tr>
      <th scope="row">${run.letter} <bdi>${run.name}</bdi></th>
      <td class="number"><bdi>${written(x.values[index])}</bdi></td>
      <td class="number"><bdi>${written(y.values[index])}</bdi></td>
      <td>${front.has(run.id) ? "no" : ""}</td>
    </tr>`)}</tbody>
  </table>`;
}

function isThere(value) {
  return value !== undefined && value !== null;
}
