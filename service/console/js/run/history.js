// The history of metrics: curves below each other on one x axis.
import { useMemo, useState } from "preact/hooks";
import { count } from "../format.js";
import { useWidth } from "../chart/plot.js";
import { Lines } from "../chart/lines.js";
import { html } from "../html.js";
import { Failure, Freshness, Skeleton } from "../parts/states.js";
import { Folds } from "./folds.js";
import { byName, withText } from "./ranks.js";
import { isActive, useHistories, versionOf } from "./reading.js";
import { ASKED_FIRST, BATCH, askable, firstShown, foldKeys, lineOf } from "./series.js";

const HEIGHT = 220;
const LISTED = 24; // keys to choose from, before one looks for others

/**
 * @param {{run: object, view: object, change: (values: object) => void}} props
 *   view: {axis, log, keys, zoom} of the address.
 */
export function History({ run, view, change }) {
  const [box, width] = useWidth();
  const [batch, setBatch] = useState(0);
  const all = useMemo(() => askable(byName(Object.keys(run.metrics))), [run.metrics]);
  const first = all.length > ASKED_FIRST ? BATCH : all.length;
  const asked = [...new Set([...view.keys.filter((key) => all.includes(key)), ...all.slice(0, first + batch * BATCH)])];
  const points = Math.min(2000, Math.max(200, Math.ceil((2 * width) / 200) * 200));
  const version = versionOf(run);
  const found = useHistories({ id: run.run_id, keys: width ? asked : [], axis: view.axis, points, version });
  const series = found.data?.series ?? new Map();
  const keys = asked.filter((key) => (series.get(key)?.n ?? 0) > 1);
  const folded = foldKeys(keys, run.tags.run_type);
  const shown = view.keys.length ? view.keys : firstShown(keys);
  const isRead = width > 0 && asked.every((key) => series.has(key));
  return html`
    <section aria-labelledby="history">
      <h2 id="history">History</h2>
      <div ref=${box}></div>
      ${found.error && !isRead && html`<${Failure} error=${found.error} retry=${found.reload} />`}
      ${!found.error && !isRead && html`
        <${Skeleton} rows=${8} isVisible=${found.isWaiting} />
        ${found.isWaiting && html`<p class="muted" role="status">The histories are being read; a very long one takes MLflow a while.</p>`}
      `}
      ${isRead && html`
        <${Freshness} meta=${found.meta} error=${found.error} retry=${found.reload} />
        ${keys.length === 0 && html`<p class="muted">${nothing(run, asked)}</p>`}
        ${keys.length > 0 && html`
          <${Choice} keys=${keys} shown=${shown} view=${view} change=${change} />
          <${Curves} ...${{ run, series, shown, points, version, view, change }} />
        `}
      `}
      ${all.length > asked.length &&
      html`<p>
        <button type="button" onClick=${() => setBatch(batch + 1)}>Look at ${BATCH} more</button>${" "}
        <span class="muted">${count(all.length - asked.length)} metrics have not been looked at yet.</span>
      </p>`}
    </section>
    ${folded.length > 0 && html`<${Folds} run=${run} keys=${folded} version=${version} />`}
  `;
}

function nothing(run, asked) {
  if (asked.length === 0) return "There is no metric.";
  return `Each metric has one value${isActive(run) ? " so far" : ""}, so there is no curve.`;
}

// The curves that are shown, all of the same part of the axis.
function Curves({ run, series, shown, points, version, view, change }) {
  const keys = shown.filter((key) => (series.get(key)?.n ?? 0) > 1);
  const range = view.zoom;
  const needsMore = range !== null && keys.some((key) => series.get(key).sampled);
  const part = useHistories({
    id: run.run_id, keys: needsMore ? keys : [], axis: view.axis, points, range, version,
  });
  const finer = needsMore && part.data?.axis === view.axis ? part.data.series : new Map();
  const name = run.run_name || run.run_id;
  return html`
    ${keys.map((key, i) => html`<${Curve} key=${key} ...${{
      name, metric: key, series: finer.get(key) ?? series.get(key), view, range, hasZoom: i === keys.length - 1,
      zoom: (to) => change({ zoom: to }, { replace: true }),
    }} />`)}
    ${part.error && html`<p class="stale" role="status">Finer values cannot be had: ${part.error.detail}</p>`}
  `;
}

function Curve({ name, metric, series, view, range, hasZoom, zoom }) {
  const lines = useMemo(() => [lineOf(metric, series, view.axis)], [metric, series, view.axis]);
  return html`<div class="run-curve">
    <${Lines}
      ...${{ series: lines, axis: view.axis, isLog: view.log, height: HEIGHT, range, onZoom: zoom, hasZoom }}
      title=${`${metric} of ${name}`}
      sync="run-history"
    />
    ${series.sampled &&
    html`<p class="muted">
      ${count(series.n)} points in ${count(series.value.length)} buckets: the line goes through the last of each, the band from
      the least to the greatest.
    </p>`}
  </div>`;
}

function Choice({ keys, shown, view, change }) {
  const [text, setText] = useState("");
  const listed = withText(keys, text).slice(0, LISTED);
  const toggle = (key) => change({ keys: shown.includes(key) ? shown.filter((one) => one !== key) : [...shown, key] });
  return html`
    <div class="run-tools">
      <fieldset>
        <legend>x axis</legend>
        ${["step", "time"].map(
          (axis) => html`<label>
            <input type="radio" name="axis" checked=${view.axis === axis} onChange=${() => change({ axis, zoom: null })} /> ${axis}
          </label>`,
        )}
      </fieldset>
      <label><input type="checkbox" checked=${view.log} onChange=${() => change({ log: !view.log })} /> logarithmic</label>
      ${keys.length > 1 &&
      html`<fieldset class="run-keys">
        <legend>Metrics</legend>
        ${keys.length > LISTED &&
        html`<label>Find${" "}<input type="search" value=${text} onInput=${(event) => setText(event.target.value)} /></label>`}
        ${[...new Set([...listed, ...shown.filter((key) => keys.includes(key))])].map(
          (key) => html`<label>
            <input type="checkbox" checked=${shown.includes(key)} onChange=${() => toggle(key)} /> <bdi>${key}</bdi>
          </label>`,
        )}
      </fieldset>`}
    </div>
  `;
}
