// Which metric a strategy is looked at by, and which of a run's metrics were logged once a fold or a path. Pure.

const OF_PARTS = /^(fold|path|split)[_.]/;
const WORDS = /[^a-z0-9]+/;

/**
 * A field as `GET /runs/fields` lists it.
 * @typedef {{name: string, written: string, runs: number, direction: string | null, rule: string | null}} Field
 */

/** The name of a metric, without "metrics.". @param {Field} field */
export function keyOf(field) {
  return field.name.slice("metrics.".length);
}

/** Whether a metric is named as a Sharpe ratio of a run. @param {string} key */
export function isSharpe(key) {
  return key.toLowerCase().split(WORDS).includes("sharpe") && !OF_PARTS.test(key);
}

/**
 * The metric to begin with: a Sharpe ratio that is better when higher, else any with a known direction; of several
 * the one that most runs have.
 * @param {Field[]} fields of metrics
 * @returns {string} "" where there is none
 */
export function defaultMetric(fields) {
  const ranked = fields
    .filter((field) => !OF_PARTS.test(keyOf(field)))
    .map((field) => ({ field, rank: rankOf(field) }))
    .sort((one, other) => other.rank - one.rank || other.field.runs - one.field.runs);
  return ranked.length ? keyOf(ranked[0].field) : "";
}

function rankOf(field) {
  if (field.direction === "max" && isSharpe(keyOf(field))) return 3;
  if (field.rule && field.direction === "max") return 2;
  return field.rule && field.direction !== "none" ? 1 : 0;
}

/**
 * The metric whose steps are the folds that belong to a metric: the likeliest by its name.
 * @param {string} metric @param {Field[]} fields of metrics
 * @returns {string} "" where none is named so, or as the metric with "fold_" before it, which the service finds itself
 */
export function foldMetric(metric, fields) {
  const [likeliest] = partKeys(metric, fields.map(keyOf), "fold");
  const isOne = likeliest?.startsWith("fold_") && isSharpe(metric) === isSharpe(likeliest.slice("fold_".length));
  return isOne && likeliest !== `fold_${metric}` ? likeliest : "";
}

/**
 * The metrics of a run that may have a value for each fold or path, the likeliest for this metric first.
 * @param {string} metric @param {string[]} keys of the run @param {"fold" | "path"} part
 * @returns {string[]}
 */
export function partKeys(metric, keys, part) {
  const words = new Set(metric.toLowerCase().split(WORDS));
  const shared = (key) => key.toLowerCase().split(WORDS).filter((word) => words.has(word)).length;
  const rank = (key) => (key.startsWith(`${part}_`) ? 100 : OF_PARTS.test(key) ? 50 : 0) + shared(key);
  const parts = keys.filter((key) => OF_PARTS.test(key) || key === metric);
  return parts.sort((one, other) => rank(other) - rank(one) || one.localeCompare(other));
}
