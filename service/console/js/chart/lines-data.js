// Lines as numbers: how they are put on one axis, what they span, and what a sentence says of them. Pure.

/**
 * A line of a chart: lists of one length, in the order of x. null is a value that is not a finite number.
 * min, max: of the points that each entry stands for, where an entry stands for several.
 * label: what tells this line from the others. mark: the same in few characters, for the end of the line.
 * colour: which of the colours and dashes it has; the place in the list where there is none.
 * @typedef {{label: string, x: number[], y: Array<number|null>, min?: Array<number|null>|null,
 *   max?: Array<number|null>|null, mark?: string, colour?: number}} Line
 */

const COLOURS = 4;
const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3]];

/**
 * The lines on one x axis, as uPlot takes them: [x, y of the first line, …].
 * undefined: the line has no entry there and goes on; null: it breaks. On a logarithmic axis what is 0 or less
 * has no place and breaks the line, too. An x that a line has twice stands there twice.
 * @param {Line[]} lines @param {boolean} isLog
 * @returns {Array<Array<number|null|undefined>>}
 */
export function aligned(lines, isLog) {
  const places = lines.map(() => 0);
  const xs = [];
  const ys = lines.map(() => []);
  for (;;) {
    let next = Infinity;
    lines.forEach(({ x }, i) => {
      if (places[i] < x.length && x[places[i]] < next) next = x[places[i]];
    });
    if (next === Infinity) break;
    xs.push(next);
    lines.forEach(({ x, y }, i) => {
      if (x[places[i]] !== next) return ys[i].push(undefined);
      const value = y[places[i]++];
      ys[i].push(isLog && value <= 0 ? null : value);
    });
  }
  ys.forEach(widenGaps);
  return [xs, ...ys];
}

// A break lasts from the last value before it to the first after it, whatever x other lines have in between.
function widenGaps(values) {
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== null) continue;
    for (let before = i - 1; before >= 0 && values[before] === undefined; before--) values[before] = null;
    for (; i + 1 < values.length && values[i + 1] === undefined; i++) values[i + 1] = null;
  }
}

/** The places in a list of `aligned` of values without a neighbour, which no line reaches. */
export function isolated(values) {
  const found = [];
  let before = null; // the place of the last value if the line has not broken since
  let isAlone = false;
  values.forEach((value, i) => {
    if (value === undefined) return;
    if (value === null) {
      if (isAlone) found.push(before);
      before = null;
      isAlone = false;
    } else {
      isAlone = before === null;
      before = i;
    }
  });
  if (isAlone) found.push(before);
  return found;
}

/** Where the x of all lines begin and end; null without any. @param {Line[]} lines */
export function span(lines) {
  const ends = lines.filter(({ x }) => x.length > 0).map(({ x }) => [x[0], x.at(-1)]);
  if (ends.length === 0) return null;
  return [Math.min(...ends.map(([from]) => from)), Math.max(...ends.map(([, to]) => to))];
}

/** The least and greatest y between two x; null without any. @param {Line[]} lines */
export function extent(lines, isLog, [from, to]) {
  let [low, high] = [Infinity, -Infinity];
  for (const line of lines) {
    for (let i = 0; i < line.x.length; i++) {
      if (line.x[i] < from || line.x[i] > to) continue;
      for (const value of [line.y[i], line.min?.[i], line.max?.[i]]) {
        if (value === null || value === undefined || (isLog && value <= 0)) continue;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
  }
  return low <= high ? [low, high] : null;
}

/** How many entries have no place on a logarithmic axis. @param {Line[]} lines */
export function notPositive(lines) {
  const least = (line, i) => line.min?.[i] ?? line.y[i];
  return lines.reduce(
    (sum, line) => sum + line.x.filter((_, i) => least(line, i) !== null && least(line, i) <= 0).length,
    0,
  );
}

/** The place of the entry of a line that is nearest to an x; -1 where it has none. @param {number[]} list */
export function nearest(list, x) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] < x) low = middle + 1;
    else high = middle;
  }
  if (low === list.length) return list.length - 1;
  return low > 0 && x - list[low - 1] < list[low] - x ? low - 1 : low;
}

/** A part of a range: `factor` of its length, moved by `share` of it, and within the whole. */
export function part([from, to], [first, last], { factor = 1, share = 0 }) {
  const length = Math.min((to - from) * factor, last - first);
  const middle = (from + to) / 2 + share * (to - from);
  const start = Math.min(Math.max(middle - length / 2, first), last - length);
  return [start, start + length];
}

/**
 * Places near others, at least `gap` apart, between low and high as far as they fit; in the order of the list.
 * @param {number[]} places
 */
export function apart(places, gap, low, high) {
  const order = places.map((_, i) => i).sort((a, b) => places[a] - places[b]);
  const result = [...places];
  order.forEach((i, rank) => {
    const least = rank === 0 ? low : result[order[rank - 1]] + gap;
    result[i] = Math.max(result[i], least);
  });
  let most = high;
  for (const i of order.reverse()) {
    result[i] = Math.min(result[i], most);
    most = result[i] - gap;
  }
  return result;
}

/** The colour (1 to 4) and the dashes of a line. isPlain: there are no colours to tell lines apart. */
export function styleOf(index, isPlain = false) {
  const round = isPlain ? index : Math.floor(index / COLOURS);
  return { colour: (index % COLOURS) + 1, dash: DASHES[round % DASHES.length] };
}
