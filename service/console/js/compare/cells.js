// What a cell of the comparison says. Pure.
import { delta, exact, number, percent } from "../format.js";

const REASONS = {
  baseline_missing: "the baseline lacks it",
  baseline_not_finite: "the baseline is NaN",
  baseline_zero: "no share of 0",
  value_missing: "not logged",
  value_not_finite: "not a finite number",
  signs_differ: "signs differ",
  too_large: "too large",
};

const DIRECTIONS = {
  max: "higher is better",
  min: "lower is better",
  closest_to_zero: "nearer to zero is better",
  none: "no value is better",
};

/**
 * How a value differs from the baseline's: null for the baseline itself.
 * @param {object} metric of the API @param {string} id @param {string} baseline
 * @returns {{arrow: string, text: string, word: string, tone: "" | "better" | "worse"} | null}
 *   text: signed, with the share or why there is none. arrow: which way the number went. word: for every reader.
 */
export function deltaOf(metric, id, baseline) {
  if (id === baseline) return null;
  const { absolute, relative, better, reason } = metric.deltas[id];
  const tone = better === null ? "" : better ? "better" : "worse";
  if (absolute === null) return { arrow: "", text: REASONS[reason] ?? reason, word: tone, tone };
  if (absolute === 0) return { arrow: "=", text: "", word: "equal", tone: "" };
  const share = relative === null ? REASONS[reason] ?? reason : signedPercent(relative);
  const word = tone || (metric.direction === "none" ? "" : "as good");
  return { arrow: absolute > 0 ? "\u25b2" : "\u25bc", text: `${delta(absolute)} (${share})`, word, tone };
}

/** Which way a metric is better, and which rule says so. @param {object} metric of the API */
export function directionOf({ direction, rule }) {
  const text = DIRECTIONS[direction] ?? direction;
  return { text, rule: rule === null ? "assumed: no rule fits the name" : `rule ${rule}` };
}

/** A field's value for people. @param {object} field @param {string} id */
export function textOf(field, id) {
  const value = field.valueOf(id);
  if (field.kind === "metrics" || value === undefined) return number(value);
  return value;
}

/** A field's value in full, for copies: "" where it is missing. */
export function exactOf(field, id) {
  const value = field.valueOf(id);
  return field.kind === "metrics" || value === undefined ? exact(value) : value;
}

function signedPercent(share) {
  const text = percent(share);
  return share > 0 ? `+${text}` : text;
}
