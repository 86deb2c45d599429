// Where a run stands among others, metric by metric. Pure.

/**
 * The place of a value among others, 1 for the best; null where the direction says no value is better.
 * @param {number} own
 * @param {number[]} others finite values, the run's own among them
 * @param {string|null} direction "max", "min", "closest_to_zero" or "none"
 * @returns {{rank: number, of: number, ties: number}|null} ties: others with the same value
 */
export function rankOf(own, others, direction) {
  const goodness = GOODNESS[direction];
  if (!goodness || !Number.isFinite(own)) return null;
  const mine = goodness(own);
  const better = others.filter((value) => goodness(value) > mine).length;
  const same = others.filter((value) => goodness(value) === mine).length;
  return { rank: better + 1, of: others.length, ties: Math.max(0, same - 1) };
}

const GOODNESS = { max: (value) => value, min: (value) => -value, closest_to_zero: (value) => -Math.abs(value) };

/** The best of the values, as its place in the list; -1 without any or without a direction. */
export function bestOf(values, direction) {
  const goodness = GOODNESS[direction];
  if (!goodness) return -1;
  return values.reduce(
    (best, value, i) =>
      Number.isFinite(value) && (best < 0 || goodness(value) > goodness(values[best])) ? i : best,
    -1,
  );
}

/** "1st", "2nd", "3rd", "11th". @param {number} number */
export function ordinal(number) {
  return `${number.toLocaleString("en-US")}${SUFFIXES[RULES.select(number)]}`;
}

const RULES = new Intl.PluralRules("en-US", { type: "ordinal" });
const SUFFIXES = { one: "st", two: "nd", few: "rd", other: "th" };

/** Which values are better by a direction, in words. */
export const DIRECTIONS = {
  max: "higher",
  min: "lower",
  closest_to_zero: "closer to 0",
  none: "neither",
};

/** What a param's text is: "number", "yes or no", "list", "empty" or "text". @param {string} text */
export function typeOf(text) {
  if (text.trim() === "") return "empty";
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return "number";
  if (/^(true|false)$/i.test(text)) return "yes or no";
  if (/^\[.*\]$/s.test(text) || /^[^,]+(,[^,]+)+$/.test(text)) return "list";
  return "text";
}

/** Names in the order that people look for them: numbers in them by their size, case ignored. */
export function byName(names) {
  return [...names].sort(new Intl.Collator("en", { numeric: true }).compare);
}

/** The names that have a text in them, case ignored. */
export function withText(names, text) {
  const small = text.trim().toLowerCase();
  return small ? names.filter((name) => name.toLowerCase().includes(small)) : names;
}
