// Trials over time: each run's value by its start, the best so far, and what the best of noise is expected to reach.
import { Plot } from "../chart/plot.js";
import { extent, labels, linear, ticks, timeTicks } from "../chart/scale.js";
import { count, number, shortId } from "../format.js";
import { html } from "../html.js";
import { Shown, Time } from "../parts/states.js";
import { preferences } from "../preferences.js";
import { marksOf } from "./marks.js";
import { bestSoFar, noiseAfter } from "./noise.js";
import { runHref } from "./view.js";

const [HEIGHT, AXIS, ABOVE, BELOW, SIDE] = [260, 48, 10, 26, 14];

/** @param {{metric: string, direction: string | null, report: object, trials: object}} props two resources */
export function Trials({ metric, direction, report, trials }) {
  return html`<section class="part" aria-labelledby="trials">
    <h2 id="trials">Trials over time</h2>
    <${Shown} resource=${trials} rows=${9}>
      ${(data) => html`<${Drawn} metric=${metric} direction=${direction} report=${report.data} data=${data} />`}
    <//>
  </section>`;
}

function Drawn({ metric, direction, report, data: { trials, total } }) {
  const timed = trials.filter((one) => one.time !== null);
  const finite = timed.filter((one) => one.value !== null);
  if (!finite.length) return html`<p class="reason">No run has a finite value of <bdi>${metric}</bdi> and a start time.</p>`;
  const types = [...new Set(finite.map((one) => one.type))].sort();
  const best = direction === "max" || direction === "min" ? bestSoFar(finite, direction === "max") : [];
  const noise = report && direction === "max" ? noiseOf(finite, report) : [];
  const lacking = trials.length - finite.length;
  return html`<${Plot}
    sentence=${sentenceOf(metric, finite, best)}
    height=${HEIGHT}
    draw=${(width) => drawn(width, { finite, types, best, noise, isUtc: preferences.value.isUtc })}
    table=${() => html`<${Values} metric=${metric} trials=${trials} />`}
  >
    <p class="legend">
      ${types.map((type, index) => html`<span class="key" data-line=${index % 4}><bdi>${type || "no run_type"}</bdi></span>`)}
      ${best.length > 0 && html`<span class="key-line" data-kind="best">best so far</span>`}
      ${noise.length > 0 && html`<span class="key-line" data-kind="noise">expected best of noise after so many trials</span>`}
      ${best.length === 0 && " No value of this metric is best."}
      ${lacking > 0 && ` ${count(lacking)} without a finite value or a start time ${lacking === 1 ? "is" : "are"} only in the table.`}
      ${total > trials.length && ` The newest ${count(trials.length)} of ${count(total)} are shown.`}
    </p>
  <//>`;
}

function noiseOf(finite, report) {
  const { noise } = marksOf(report);
  const all = report.trials.all;
  if (noise === null) return [];
  return finite.map(({ time }, index) => ({ time, value: noiseAfter(index + 1, noise, all) })).filter((one) => one.value !== null);
}

function sentenceOf(metric, finite, best) {
  const last = best.at(-1);
  return `${metric} of ${finite.length} runs by their start${last ? `; the best so far became better ${best.length} times, to ${number(last.value)}` : ""}.`;
}

function drawn(width, { finite, types, best, noise, isUtc }) {
  const floor = HEIGHT - BELOW;
  const times = extent(finite.map((one) => one.time), 0.02);
  const range = extent([...finite.map((one) => one.value), ...noise.map((one) => one.value), 0]);
  const x = linear(times, [AXIS, width - SIDE]);
  const y = linear(range, [floor, ABOVE]);
  const axis = ticks(range, 5);
  const names = labels(axis);
  const points = finite.map((one) => ({
    x: x(one.time),
    y: y(one.value),
    href: runHref(one.id),
    text: `${one.name} ${shortId(one.id)}: ${number(one.value)}`,
  }));
  const radius = finite.length > 400 ? 2.5 : 4.5;
  const content = html`
    ${axis.map(
      (value, index) => html`
        <line class=${value === 0 ? "plot-zero" : "plot-grid"} x1=${AXIS} x2=${width} y1=${y(value)} y2=${y(value)} />
        <text class="plot-tick" x=${AXIS - 6} y=${y(value) + 4} text-anchor="end">${names[index]}</text>
      `,
    )}
    ${timeTicks(times, Math.max(2, Math.floor(width / 130)), isUtc).map(
      ({ at, text }) => html`
        <line class="plot-grid" x1=${x(at)} x2=${x(at)} y1=${floor} y2=${floor + 4} />
        <text class="plot-tick" x=${x(at)} y=${floor + 18} text-anchor="middle">${text}</text>
      `,
    )}
    ${noise.length > 0 && html`<path class="plot-line" data-kind="noise" d=${stepped(noise, x, y, width - SIDE)} />`}
    ${best.length > 0 && html`<path class="plot-line" data-kind="best" d=${stepped(best, x, y, width - SIDE)} />`}
    ${finite.map(
      (one, index) => html`<circle
        class=${one.status === "FINISHED" ? "plot-dot" : "plot-dot open"}
        data-line=${types.indexOf(one.type) % 4}
        cx=${points[index].x}
        cy=${points[index].y}
        r=${radius}
      />`,
    )}
  `;
  return { content, points };
}

/** A line that keeps each value until the next one, as the path of an SVG. Pure. */
export function stepped(values, x, y, end) {
  const parts = values.map(({ time, value }, index) => `${index ? "H" : "M"}${x(time)}${index ? "V" : " "}${y(value)}`);
  return `${parts.join("")}H${end}`;
}

function Values({ metric, trials }) {
  return html`<table>
    <caption>Runs, newest first</caption>
    <thead>
      <tr><th scope="col">Run</th><th scope="col">Type</th><th scope="col">Started</th><th scope="col" class="number"><bdi>${metric}</bdi></th></tr>
    </thead>
    <tbody>
      ${[...trials].reverse().map(
        (one) => html`<tr>
          <th scope="row"><a href=${runHref(one.id)}><bdi>${one.name}</bdi> <code>${shortId(one.id)}</code></a></th>
          <td><bdi>${one.type}</bdi></td>
          <td><${Time} ms=${one.time} /></td>
          <td class="number">${number(one.value)}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}
