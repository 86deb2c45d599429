// Axes of numbers and of texts: where a value lies between 0 and 1, and what the axis names. Pure.
import { number } from "../format.js";
import { extent, labels, linear, ticks } from "./scale.js";

const COLLATOR = new Intl.Collator("en", { numeric: true });
const LETTER = 14; // pixels that a letter is high
const MOST_LETTERS = 8;
const MOST_TEXTS = 12; // that an axis names

/**
 * @typedef {{name: string, direction: string | null, values: Array<number | string | null | undefined>}} Measure
 *   A field over the runs. direction: which value is better, in the API's words; null for what is no metric.
 * @typedef {{at: (value: any) => number | null, ticks: Array<{at: number, text: string}>, isNumeric: boolean}} Axis
 *   at: from 0 to 1; null for what has no place, such as a missing value.
 */

/** Whether all values that are there are finite numbers. @param {Measure} measure */
export function isNumeric({ values }) {
  const there = values.filter((value) => value !== undefined && value !== null);
  return there.length > 0 && there.every((value) => value !== "" && Number.isFinite(Number(value)));
}

/** An axis from the lowest to the highest value, or with the texts in their order. @param {Measure} measure @returns {Axis} */
export function axisOf(measure, most = 5) {
  if (!isNumeric(measure)) return axisOfTexts(measure);
  const range = extent(measure.values.map(numberOf));
  const scale = linear(range, [0, 1]);
  const named = ticks(range, most);
  const texts = labels(named);
  return {
    isNumeric: true,
    at: (value) => (Number.isFinite(numberOf(value)) ? scale(numberOf(value)) : null),
    ticks: named.map((value, index) => ({ at: scale(value), text: texts[index] })),
  };
}

/**
 * An axis on which better is up: its ends are the best and the worst value there is. Of what has no direction the
 * highest value is up. @param {Measure} measure @returns {Axis}
 */
export function bestUp(measure) {
  if (!isNumeric(measure)) return axisOfTexts(measure);
  const score = SCORES[measure.direction] ?? SCORES.max;
  const finite = measure.values.map(numberOf).filter(Number.isFinite);
  const sorted = [...finite].sort((a, b) => score(a) - score(b));
  const scale = linear([score(sorted[0]), score(sorted.at(-1))], [0, 1]);
  const ends = sorted[0] === sorted.at(-1) ? [sorted[0]] : [sorted[0], sorted.at(-1)];
  return {
    isNumeric: true,
    at: (value) => (Number.isFinite(numberOf(value)) ? scale(score(numberOf(value))) : null),
    ticks: ends.map((value) => ({ at: scale(score(value)), text: number(value) })),
  };
}

const SCORES = { max: (value) => value, min: (value) => -value, closest_to_zero: (value) => -Math.abs(value) };

/**
 * Letters beside points, so that those of points that touch stand together. Pure.
 * @param {Array<{x: number, y: number, letter: string}>} points in pixels
 * @returns {Array<{x: number, y: number, letters: string}>}
 */
export function lettersAt(points) {
  const places = new Map();
  for (const { x, y, letter } of points) {
    const key = `${Math.round(x / LETTER)} ${Math.round(y / LETTER)}`;
    const place = places.get(key);
    if (place) place.letters += `, ${letter}`;
    else places.set(key, { x, y, letters: letter });
  }
  return [...places.values()];
}

/** The letters of runs; of many the first ones. Pure. @param {Array<{letter: string}>} runs */
export function listed(runs) {
  const letters = runs.slice(0, MOST_LETTERS).map(({ letter }) => letter).join(", ");
  return runs.length > MOST_LETTERS ? `${letters} and ${runs.length - MOST_LETTERS} more` : letters;
}

/** A value of a field for people. */
export function written(value) {
  return typeof value === "string" ? value : number(value);
}

/** A text in at most so many characters. */
export function cut(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}\u2026` : text;
}

function axisOfTexts({ values }) {
  const texts = [...new Set(values.filter((value) => value !== undefined && value !== null).map(String))].sort(COLLATOR.compare);
  const places = new Map(texts.map((text, index) => [text, (index + 0.5) / texts.length]));
  return {
    isNumeric: false,
    at: (value) => places.get(String(value)) ?? null,
    ticks: texts.length > MOST_TEXTS ? [] : texts.map((text) => ({ at: places.get(text), text })),
  };
}

function numberOf(value) {
  return value === null || value === undefined || value === "" ? NaN : Number(value);
}
