// What a chart of lines says in words, for those who do not see it. Pure.

/** @typedef {import("./lines-data.js").Line} Line */

/**
 * A sentence on what a chart shows.
 * @param {string} title "oos_sharpe of 3 runs"
 * @param {Line[]} lines
 * @param {(x: number) => string} writtenX "step 20"
 * @param {(y: number) => string} written
 */
export function sentence(title, lines, writtenX, written) {
  const ends = lines.map(summary).filter((one) => one !== null);
  if (ends.length === 0) return `${title}: there is no value.`;
  const from = Math.min(...ends.map((one) => one.from));
  const to = Math.max(...ends.map((one) => one.to));
  const over = from === to ? `at ${writtenX(from)}` : `from ${writtenX(from)} to ${writtenX(to)}`;
  const [least, greatest] = [lowest(ends, "least"), highest(ends, "greatest")];
  const whose = (one) => (ends.length === 1 ? "" : ` for ${one.label}`);
  const extremes = `smallest ${written(least.least)}${whose(least)}, largest ${written(greatest.greatest)}${whose(greatest)}.`;
  if (ends.length === 1) return `${title} ${over}: last ${written(ends[0].last)}, ${extremes}`;
  const [low, high] = [lowest(ends, "last"), highest(ends, "last")];
  return (
    `${title} ${over}: last ${written(high.last)} for ${high.label}, the highest, ` +
    `and ${written(low.last)} for ${low.label}, the lowest; ${extremes}`
  );
}

function lowest(ends, name) {
  return ends.reduce((one, other) => (other[name] < one[name] ? other : one));
}

function highest(ends, name) {
  return ends.reduce((one, other) => (other[name] > one[name] ? other : one));
}

// The last, least and greatest finite value of a line, and from where to where it has any; null without any.
function summary({ label, x, y, min, max }) {
  let found = null;
  x.forEach((at, i) => {
    for (const value of [y[i], min?.[i], max?.[i]]) {
      if (value === null || value === undefined) continue;
      found ??= { label, from: at, to: at, last: value, least: value, greatest: value };
      found.to = at;
      found.least = Math.min(found.least, value);
      found.greatest = Math.max(found.greatest, value);
    }
    if (y[i] !== null && y[i] !== undefined) found.last = y[i];
  });
  return found;
}

/** The value of a line at one of its places, with what the points were between that it stands for. */
export function valueAt({ y, min, max }, i, written) {
  const [low, high] = [min?.[i], max?.[i]];
  if (low === undefined || low === null || low === high) return written(y[i]);
  return `${written(y[i])} (${written(low)} to ${written(high)})`;
}

/** Numbers of an axis with as many digits as its steps need. @param {number} step between two of them */
export function axisNumbers(values, step) {
  const size = Math.max(...values.map((value) => Math.abs(value ?? 0)));
  if (size >= 1e7 || (size > 0 && size < 1e-4)) {
    const scientific = new Intl.NumberFormat("en-US", { notation: "scientific", maximumSignificantDigits: 4 });
    return values.map((value) => (value === null ? "" : signed(scientific.format(value))));
  }
  const digits = Math.min(10, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  const plain = new Intl.NumberFormat("en-US", { maximumFractionDigits: digits });
  return values.map((value) => (value === null ? "" : signed(plain.format(value))));
}

function signed(text) {
  return text.replace(/^-0$/, "0").replace(/-/g, "\u2212");
}
