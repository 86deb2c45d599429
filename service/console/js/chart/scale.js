// From values to pixels, and the values that an axis names. Pure.
import { MINUS } from "../format.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIME_STEPS = [
  MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
  DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 91 * DAY, 365 * DAY,
];

/**
 * A linear scale. @param {[number, number]} from values @param {[number, number]} to pixels, which may run downwards
 * @returns {(value: number) => number} the middle of the pixels, where there is but one value
 */
export function linear([low, high], [start, end]) {
  if (!(high > low)) return () => (start + end) / 2;
  const slope = (end - start) / (high - low);
  return (value) => start + (value - low) * slope;
}

/**
 * The smallest and the largest finite number, with a share of their distance on both sides.
 * @param {Iterable<number | null | undefined>} values
 * @param {number} [share]
 * @returns {[number, number]} of one value: that value and 1 around it; of none: 0 and 1
 */
export function extent(values, share = 0.06) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  const pad = high > low ? (high - low) * share : Math.abs(low) || 1;
  return [low - pad, high + pad];
}

/** Round values in between: 1, 2 or 5 times a power of ten apart. @returns {number[]} about `most` of them */
export function ticks([low, high], most = 5) {
  if (!(high > low) || !Number.isFinite(high - low)) return Number.isFinite(low) ? [low] : [];
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((one) => one * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step + 0);
}

/** What ticks are called: with as many digits as tell them apart. @param {number[]} values @returns {string[]} */
export function labels(values) {
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) : Math.abs(values[0] ?? 1) || 1;
  const largest = Math.max(...values.map(Math.abs), step);
  if (largest >= 1e6 || step < 1e-4) return values.map((value) => value.toExponential(1).replace(/-/g, MINUS));
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return values.map((value) => value.toFixed(digits).replace(/^-(0(\.0*)?)$/, "$1").replace("-", MINUS));
}

/**
 * Times that an axis names, and how: days, or hours and minutes.
 * @param {[number, number]} range epoch milliseconds @param {number} most @param {boolean} isUtc
 * @returns {Array<{at: number, text: string}>}
 */
export function timeTicks([low, high], most, isUtc) {
  if (!(high > low)) return Number.isFinite(low) ? [{ at: low, text: clock(low, DAY, isUtc) }] : [];
  const step = TIME_STEPS.find((one) => (high - low) / one <= most) ?? Math.ceil((high - low) / most / DAY) * DAY;
  const shift = isUtc ? 0 : new Date(low).getTimezoneOffset() * MINUTE;
  const found = [];
  for (let at = Math.ceil((low - shift) / step) * step + shift; at <= high; at += step) {
    found.push({ at, text: clock(at, step, isUtc) });
  }
  return found;
}

function clock(ms, step, isUtc) {
  const at = new Date(isUtc ? ms : ms - new Date(ms).getTimezoneOffset() * MINUTE);
  const text = at.toISOString();
  return step >= DAY ? text.slice(0, 10) : text.slice(11, 16) === "00:00" ? text.slice(5, 10) : text.slice(11, 16);
}
