// Lines drawn by uPlot: its options, and what it does not draw by itself, bands and the labels at lines' ends.
import { duration, number } from "../format.js";
import { aligned, apart, extent, isolated, styleOf } from "./lines-data.js";
import { axisNumbers } from "./lines-text.js";

/** @typedef {import("./lines-data.js").Line} Line */

const FONT = "12px system-ui, sans-serif";
const LABEL_SPACE = 14; // pixels from one label to the next
const WIDEST_LABEL = 130;
const NARROW = 420; // pixels: a chart without room for labels

/**
 * A plot in an element.
 * @param {Function} UPlot the class
 * @param {HTMLElement} element
 * @param {{series: Line[], axis: "step"|"time"|"elapsed", isLog: boolean, isUtc: boolean, range: [number, number],
 *   width: number, height: number, colours: object, sync?: string, onCursor: (x: number|null) => void,
 *   onSelect: (range: [number, number]) => void, onReset: () => void}} options
 *   sync: charts of one name show their cursors together
 */
export function plotted(UPlot, element, options) {
  const { series: lines, axis, isLog, isUtc, range, width, height, colours, sync } = options;
  const data = aligned(lines, isLog);
  const styles = lines.map((line, i) => styleOf(line.colour ?? i, colours.isPlain));
  const colourOf = (i) => colours[`line-${styles[i].colour}`];
  const labels = lines.length > 1 && width >= NARROW ? lines.map((line) => cut(line.mark ?? line.label)) : [];
  const line = { stroke: colours.grid, width: 1 };
  const look = { stroke: colours.muted, font: FONT, grid: line, ticks: line };
  return new UPlot(
    {
      width,
      height,
      ms: 1,
      padding: [8, labels.length ? 12 + Math.max(...labels.map(widthOf)) : 12, 0, 0],
      tzDate: isUtc ? (ms) => UPlot.tzDate(new Date(ms), "Etc/UTC") : (ms) => new Date(ms),
      legend: { show: false },
      cursor: {
        drag: { x: true, y: false, setScale: false },
        y: false,
        sync: sync ? { key: sync, setSeries: false } : undefined,
        bind: { dblclick: () => () => options.onReset() },
      },
      scales: {
        x: { time: axis === "time", auto: false, min: range[0], max: range[1] },
        y: { distr: isLog ? 3 : 1, range: () => heights(UPlot, lines, isLog, range) },
      },
      axes: [
        { ...look, values: horizontal[axis] },
        { ...look, values: vertical(isLog), size: (_, texts) => 18 + Math.max(20, ...(texts ?? []).map(widthOf)) },
      ],
      series: [
        {},
        ...lines.map((line, i) => ({
          label: line.label,
          stroke: colourOf(i),
          width: 1.5,
          dash: styles[i].dash,
          points: { size: 5, fill: colourOf(i), filter: (_, at, isShown) => (isShown ? null : isolated(data[at])) },
        })),
      ],
      hooks: {
        drawAxes: [(plot) => drawBands(plot, lines, isLog, colourOf)],
        draw: [(plot) => drawLabels(plot, lines, labels, colourOf)],
        setCursor: [({ cursor }) => options.onCursor(data[0][cursor.idx] ?? null)],
        setSelect: [
          (plot) => {
            const { left, width: selected } = plot.select;
            if (selected < 4) return;
            plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
            options.onSelect([plot.posToVal(left, "x"), plot.posToVal(left + selected, "x")]);
          },
        ],
      },
    },
    data,
    element,
  );
}

const horizontal = {
  step: (_, splits, __, ___, step) => axisNumbers(splits, step),
  time: undefined, // uPlot's own
  elapsed: (_, splits) => splits.map((value) => (value === 0 ? "0" : duration(value))),
};

function vertical(isLog) {
  if (isLog) return (_, splits) => splits.map((value) => (value === null ? "" : number(value)));
  return (_, splits, __, ___, step) => axisNumbers(splits, step);
}

// The y axis spans what is to be seen, spikes included.
function heights(UPlot, lines, isLog, range) {
  const seen = extent(lines, isLog, range);
  if (!seen) return isLog ? [0.1, 10] : [0, 1];
  return isLog ? UPlot.rangeLog(...seen, 10, false) : UPlot.rangeNum(...seen, 0.1, true);
}

function drawBands(plot, lines, isLog, colourOf) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.globalAlpha = 0.3;
  lines.forEach((line, i) => {
    if (!line.min || !line.max) return;
    ctx.fillStyle = ctx.strokeStyle = colourOf(i);
    for (const run of runs(line, isLog, plot.scales.y.min)) {
      ctx.beginPath();
      for (const [x, , high] of run) ctx.lineTo(plot.valToPos(x, "x", true), plot.valToPos(high, "y", true));
      for (const [x, low] of run.reverse()) ctx.lineTo(plot.valToPos(x, "x", true), plot.valToPos(low, "y", true));
      ctx.closePath();
      ctx.fill();
      ctx.lineWidth = devicePixelRatio;
      ctx.stroke(); // so that a band of no width is seen
    }
  });
  ctx.restore();
}

// The stretches of a line that have a band: lists of [x, low, high].
function* runs({ x, min, max }, isLog, floor) {
  let run = [];
  for (let i = 0; i < x.length; i++) {
    if (min[i] === null || max[i] === null || (isLog && max[i] <= 0)) {
      if (run.length) yield run;
      run = [];
    } else {
      run.push([x[i], isLog && min[i] <= 0 ? floor : min[i], max[i]]);
    }
  }
  if (run.length) yield run;
}

function drawLabels(plot, lines, labels, colourOf) {
  if (labels.length === 0) return;
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const { min, max } = plot.scales.x;
  const ends = lines
    .map(({ x, y }, i) => ({ i, y: y[x.findLastIndex((at, j) => at >= min && at <= max && typeof y[j] === "number")] }))
    .filter(({ y }) => y !== undefined && !(plot.scales.y.distr === 3 && y <= 0));
  const places = ends.map(({ y }) => plot.valToPos(y, "y", true));
  const free = apart(places, LABEL_SPACE * ratio, bbox.top, bbox.top + bbox.height);
  ctx.save();
  ctx.font = `${12 * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  ends.forEach(({ i }, rank) => {
    ctx.fillStyle = colourOf(i);
    ctx.fillText(labels[i], bbox.left + bbox.width + 4 * ratio, free[rank]);
  });
  ctx.restore();
}

let measuring = null;

function widthOf(text) {
  measuring ??= new OffscreenCanvas(1, 1).getContext("2d");
  measuring.font = FONT;
  return measuring.measureText(text).width;
}

function cut(text) {
  if (widthOf(text) <= WIDEST_LABEL) return text;
  const letters = [...new Intl.Segmenter().segment(text.slice(0, 60))].map(({ segment }) => segment);
  while (letters.length && widthOf(`${letters.join("")}\u2026`) > WIDEST_LABEL) letters.pop();
  return `${letters.join("")}\u2026`;
}
