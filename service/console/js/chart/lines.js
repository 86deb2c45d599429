// A chart of lines: the plot, its legend, its zoom, and the same values by keyboard and as a table.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { count, duration, number, time } from "../format.js";
import { html } from "../html.js";
import { preferences } from "../preferences.js";
import { Palette, coloursIn, onColours } from "./colours.js";
import { extent, joined, nearest, notPositive, part, span } from "./lines-data.js";
import { Legend } from "./lines-legend.js";
import { plotted } from "./lines-plot.js";
import { ValueTable } from "./lines-table.js";
import { sentence, valueAt } from "./lines-text.js";

/** @typedef {import("./lines-data.js").Line} Line */

/**
 * @param {{
 *   title: string, series: Line[], axis?: "step"|"time"|"elapsed", isLog?: boolean, height?: number,
 *   format?: (value: number|null|undefined) => string, onZoom?: (range: [number, number]|null) => void,
 *   range?: [number, number]|null, sync?: string, hasZoom?: boolean,
 * }} props
 *   title: what is drawn, as the beginning of a sentence: "oos_sharpe of 3 runs".
 *   series: each label is what tells this line from the others. The same list as long as nothing has changed:
 *     another list is drawn anew.
 *   axis: x is a step, milliseconds since the epoch, or milliseconds since the start.
 *   onZoom: told of the x that are shown now, null for all, so that finer data can be asked for.
 *   range: the x that are shown; where it is not given the chart keeps it itself.
 *   sync: charts of one name show their cursors together.
 *   hasZoom: whether it has buttons that zoom; of charts with one range only one needs them.
 */
export function Lines({ title, series, axis = "step", isLog = false, height = 260, format = number, onZoom, range, sync, hasZoom = true }) {
  const [own, setOwn] = useState(null);
  const [isTable, setTable] = useState(false);
  const [at, setAt] = useState(null); // the x of the cursor
  const [said, setSaid] = useState("");
  const plot = useRef(null);
  const { isUtc } = preferences.value;
  const shown = range === undefined ? own : range;
  const whole = useWhole(series, shown);
  const dropped = useMemo(() => (isLog ? notPositive(series) : 0), [series, isLog]);
  const hasPlace = useMemo(() => extent(series, isLog, [-Infinity, Infinity]) !== null, [series, isLog]);
  const writtenX = (x) => X_WORDS[axis](x, isUtc);
  const label = useMemo(() => sentence(title, series, writtenX, format), [title, series, axis, isUtc]);
  const zoom = (to) => {
    if (range === undefined) setOwn(to);
    onZoom?.(to);
  };
  const current = shown ?? widened(whole, axis);
  const step = (event) => {
    const xs = joined(series)[0].filter((x) => x >= current[0] && x <= current[1]);
    const places = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
    if (!(event.key in places) || xs.length === 0) return;
    event.preventDefault();
    const from = at === null ? (places[event.key] > 0 ? -1 : xs.length) : nearest(xs, at);
    const x = xs[Math.min(Math.max(from + places[event.key], 0), xs.length - 1)];
    setAt(x);
    pointAt(plot.current, x);
    const values = series.map((line) => `${line.label} ${valueAt(line, nearest(line.x, x), format)}`);
    setSaid(`${writtenX(x)}: ${values.join("; ")}`);
  };
  if (!hasPlace) {
    const why = dropped ? "a logarithmic axis has no place for 0 and less." : "there is no finite value to draw.";
    const style = { minHeight: `${height}px` };
    return html`<figure class="chart"><p class="muted chart-nothing" style=${style}>${title}: ${why}</p></figure>`;
  }
  return html`
    <figure class="chart">
      <${Legend} series=${series} at=${at} writtenX=${writtenX} format=${format} />
      <${Plot}
        ...${{ plot, label, series, axis, isLog, isUtc, height, sync, range: current, at, setAt, step, zoom }}
      />
      <p class="visually-hidden" aria-live="polite">${said}</p>
      ${dropped > 0 &&
      html`<p class="muted">
        ${dropped === 1 ? "1 entry is" : `${count(dropped)} entries are`} 0 or less, which a logarithmic axis has no place for.
      </p>`}
      <${Controls} ...${{ shown, current, whole, zoom, hasZoom, isTable, setTable }} />
      ${isTable && html`<${ValueTable} ...${{ title, series, range: current, writtenX, format }} />`}
    </figure>
  `;
}

const X_WORDS = {
  step: (x) => `step ${number(x)}`,
  time: (x, isUtc) => time(x, isUtc),
  elapsed: (x) => duration(x),
};

// What there is to see in all; while a part is shown, the series may have no more than that part.
function useWhole(series, shown) {
  const known = useRef(null);
  const now = useMemo(() => span(series), [series]);
  if (shown === null || known.current === null) known.current = now;
  return known.current;
}

// A single x needs some room to stand in.
function widened(whole, axis) {
  if (!whole || whole[0] < whole[1]) return whole;
  const room = axis === "step" ? 1 : 1000;
  return [whole[0] - room, whole[1] + room];
}

function pointAt(plot, x) {
  if (plot) plot.setCursor({ left: plot.valToPos(x, "x"), top: 0 }, false);
}

function Plot({ plot, label, series, axis, isLog, isUtc, height, sync, range, at, setAt, step, zoom }) {
  const chart = useRef(null);
  const [UPlot, setUPlot] = useState(null);
  const [width, setWidth] = useState(0);
  const [drawings, setDrawings] = useState(0);
  const latest = useRef({});
  latest.current = { zoom, setAt };
  useEffect(() => {
    let isShown = true;
    import("uplot").then((module) => isShown && setUPlot(() => module.default));
    const observer = new ResizeObserver(([{ contentRect }]) => setWidth(Math.floor(contentRect.width)));
    observer.observe(chart.current);
    const end = onColours(() => setDrawings((old) => old + 1));
    return () => {
      isShown = false;
      observer.disconnect();
      end();
    };
  }, []);
  useLayoutEffect(() => {
    if (!UPlot || width === 0) return undefined;
    const drawn = plotted(UPlot, chart.current, {
      ...{ series, axis, isLog, isUtc, range, width, height, sync, colours: coloursIn(chart.current) },
      onCursor: (x) => latest.current.setAt(x),
      onSelect: (selected) => latest.current.zoom(selected),
      onReset: () => latest.current.zoom(null),
    });
    plot.current = drawn;
    if (at !== null) pointAt(drawn, at);
    return () => {
      plot.current = null;
      drawn.destroy();
    };
  }, [UPlot, series, axis, isLog, isUtc, width, height, drawings, sync, range[0], range[1]]);
  return html`
    <div
      ref=${chart}
      class="chart-plot"
      role="img"
      tabindex="0"
      aria-label=${`${label} The left and right arrow keys read the values.`}
      style=${{ minHeight: `${height}px` }}
      onKeyDown=${step}
    >
      <${Palette} />
    </div>
  `;
}

const CONTROLS = [
  ["Zoom in", { factor: 0.5 }, () => true],
  ["Zoom out", { factor: 2 }, (isPart) => isPart],
  ["Back", { share: -0.5 }, (isPart, current, whole) => isPart && current[0] > whole[0]],
  ["Forward", { share: 0.5 }, (isPart, current, whole) => isPart && current[1] < whole[1]],
];

function Controls({ shown, current, whole, zoom, hasZoom, isTable, setTable }) {
  const isPart = shown !== null;
  const change = (how) => {
    const range = part(current, whole, how);
    zoom(range[0] <= whole[0] && range[1] >= whole[1] ? null : range);
  };
  return html`
    <div class="chart-controls" role="group" aria-label="What is shown">
      ${hasZoom && CONTROLS.map(
        ([text, how, can]) =>
          html`<button type="button" disabled=${!can(isPart, current, whole)} onClick=${() => change(how)}>${text}</button>`,
      )}
      ${hasZoom && html`<button type="button" disabled=${!isPart} onClick=${() => zoom(null)}>Show all</button>`}
      <button type="button" aria-pressed=${isTable} onClick=${() => setTable(!isTable)}>As table</button>
    </div>
  `;
}
