// Histories as the lines of charts, and which of them are shown first. Pure.

/** Keys that one request may ask for. */
export const BATCH = 20;
/** Keys whose histories are asked for without being told: more would cost MLflow a lot. */
export const ASKED_FIRST = 60;

const LONGEST = 250; // characters of a key: MLflow keeps no more, and the API takes no more
const CURVE = /(^|[_\W])(equity|nav|pnl|drawdown|underwater|cumulative|cum)([_\W]|$)/i;
const DRAWDOWN = /drawdown|underwater/i;

/** A history as a line of a chart. @param {string} key @param {object} series @param {"step"|"time"} axis */
export function lineOf(key, series, axis) {
  return { label: key, x: series[axis], y: series.value, min: series.min, max: series.max };
}

/** The keys in batches that a request may have. @param {string[]} keys */
export function batches(keys) {
  return Array.from({ length: Math.ceil(keys.length / BATCH) }, (_, i) => keys.slice(i * BATCH, (i + 1) * BATCH));
}

/** The keys that have a history, those of wealth and drawdown before the others, so that they are asked for first. */
export function askable(keys) {
  const possible = keys.filter((key) => key.length <= LONGEST);
  return [...possible.filter((key) => CURVE.test(key)), ...possible.filter((key) => !CURVE.test(key))];
}

/** What is drawn before somebody chooses: equity above drawdown, else the first that there is. */
export function firstShown(keys) {
  const curves = keys.filter((key) => CURVE.test(key));
  if (curves.length === 0) return sharpeFirst(keys).slice(0, 1);
  const equity = curves.find((key) => !DRAWDOWN.test(key));
  const drawdown = curves.find((key) => DRAWDOWN.test(key));
  return [equity, drawdown].filter((key) => key !== undefined);
}

/** Of a run's metrics with a history those that folds, splits or paths may have logged; Sharpe ratios first. */
export function foldKeys(keys, runType) {
  const marked = keys.filter((key) => /^(fold|split|path)[_\W]/i.test(key));
  const some = marked.length ? marked : ["walk_forward", "cpcv"].includes(runType) ? keys : [];
  return sharpeFirst(some);
}

function sharpeFirst(keys) {
  return [...keys.filter((key) => /sharpe/i.test(key)), ...keys.filter((key) => !/sharpe/i.test(key))];
}

/**
 * Ends of a section that a chart shows, as the API takes them: whole numbers, and a little beyond both ends, so
 * that lines reach the border.
 * @param {[number, number]} range
 */
export function sectionOf([from, to]) {
  const beyond = (to - from) * 0.05;
  return { from: Math.floor(from - beyond), to: Math.ceil(to + beyond) };
}
