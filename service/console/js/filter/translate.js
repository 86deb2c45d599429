// What people type, as a filter in the API's grammar. What is one already is left as it is. Pure.
import { KINDS, STATUSES, fieldOf, namedField, quoted, unquoted } from "./fields.js";
import { read } from "./reading.js";
import { resolve } from "./resolve.js";

const OPERATORS = new Map([
  ...["=", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE", "IN", "NOT IN", "IS NULL", "IS NOT NULL"].map((one) => [one, one]),
  ...Object.entries({ "==": "=", "<>": "!=", "=<": "<=", "=>": ">=" }),
]);
const ORDERED = ["<", "<=", ">", ">="];
const EXPECTED = {
  operand: "a field or a word",
  operator: "an operator: =, !=, <, <=, >, >=, IN, LIKE, IS NULL …",
  afterNot: "IN after NOT",
  isNull: "NULL or NOT NULL after IS",
  listOpen: "( after IN",
  value: "a value",
  listValue: "a value",
  listNext: ", or )",
  numberField: "params.… or tags.…",
  numberClose: ") after the field",
  open: "a closing quote",
};
const DECIMAL = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?$/;
const CONNECTIVE_BEGUN = /^(?:an?|o|no?)$/i;
const SPAN = /^(\d+(?:\.\d+)?)(ms|s|min|m|h|d)$/;
const MILLISECONDS = { ms: 1, s: 1e3, m: 6e4, min: 6e4, h: 36e5, d: 864e5 };

/**
 * The filter that a text asks for.
 * @param {string} text
 * @param {Array<object> | null} listed the fields of GET /runs/fields; null: not known
 * @returns {{filter: string | null, problem: object | null, choice: object | null}}
 *   filter: null where there is a problem or a choice to be made.
 *   problem: {position, expected, isOpen}: isOpen where the text only is not complete yet.
 *   choice: {start, end, name, options}: a name that several fields may have, or none.
 */
export function translate(text, listed) {
  const reading = read(text);
  const translation = { edits: [], problem: null, choice: null, listed };
  if (reading.fault) return { filter: null, problem: { ...reading.fault, isOpen: false }, choice: null };
  const open = ending(reading, text, listed);
  if (open) return { filter: null, problem: { position: text.trimEnd().length, expected: open, isOpen: true }, choice: null };
  for (const gap of reading.gaps) translation.edits.push({ ...gap, text: and(gap, text) });
  const isAlone = reading.words.length === 1 && reading.comparisons.length === 0 && !/\bnot\b/i.test(text.slice(0, reading.words[0].start));
  for (const word of reading.words) {
    if (word.kind === "word" && word.text.includes(".") && namedField(word.text)) {
      refuse(translation, { start: word.end }, `an operator after ${word.text}`);
    }
    translation.edits.push({ ...word, text: wordFilter(unquoted(word.text), isAlone) });
  }
  for (const comparison of reading.comparisons) compare(comparison, translation);
  if (translation.problem || translation.choice) return { filter: null, problem: translation.problem, choice: translation.choice };
  return { filter: edited(text, translation.edits).trim(), problem: null, choice: null };
}

/** The words that a filter was made of, or the filter. */
export function shortest(filter) {
  const words = filter.replace(/\(?run_name ILIKE '%((?:[^']|'')*)%' OR run_id LIKE '(?:[^']|'')*%'\)?/g, (_, word) =>
    writtenWord(word.replaceAll("''", "'")),
  );
  return words !== filter && translate(words, null).filter === filter ? words : filter;
}

function and({ start, end }, text) {
  if (start === end) return "AND ";
  return text[end] === " " ? " AND" : " AND ";
}

// What is missing at the end, or "". Ends the last comparison or word where nothing is.
function ending(reading, text, listed) {
  const { state, current } = reading;
  if (state === "operand") return text.trim() === "" ? "" : EXPECTED.operand;
  if (state === "valueTail") reading.comparisons.push(current);
  else if (state === "operator") {
    const isField = current.isNumber || (current.name.kind !== "double" && resolve(current.name, listed).field);
    if (isField || endsInDot(current.name)) return EXPECTED.operator;
    if (reading.comparisons.length > 0 && CONNECTIVE_BEGUN.test(current.name.text)) return "AND or OR";
    reading.words.push(current.name);
  } else if (state !== "connective") return EXPECTED[state];
  return reading.depth > 0 ? ") at the end" : "";
}

function endsInDot({ kind, text }) {
  return kind === "word" && text.endsWith(".") && `${text.slice(0, -1)}` in KINDS;
}

function wordFilter(word, isAlone) {
  const filter = `run_name ILIKE ${quoted(`%${word}%`)} OR run_id LIKE ${quoted(`${word.toLowerCase()}%`)}`;
  return isAlone ? filter : `(${filter})`;
}

function writtenWord(word) {
  return /^[\p{L}\p{N}_][^\s'"`<>=!(),]*$/u.test(word) ? word : `"${word.replaceAll('"', '""')}"`;
}

function compare(comparison, translation) {
  const operator = OPERATORS.get(comparison.operator.text);
  if (!operator) return refuse(translation, comparison.operator, "an operator: =, !=, <, <=, > or >=");
  const { field, options } = resolve(comparison.name, translation.listed);
  if (!field) {
    const { start, end, text } = comparison.name;
    const numbers = options.filter(({ type, known }) => type === "number" || known?.numeric);
    const likely = comparison.values.every(({ kind }) => kind === "number") ? [...new Set([...numbers, ...options])] : options;
    const offered = options.length ? likely : ["metrics", "params", "tags"].map((kind) => fieldOf(kind, unquoted(text)));
    translation.choice ??= { start, end, name: unquoted(text), isKnown: options.length > 0, options: offered };
    return;
  }
  if (comparison.operator.text !== operator) translation.edits.push({ ...comparison.operator, text: operator });
  const isText = field.type === "text" && !comparison.isNumber;
  const asNumber = isText && field.kind !== "attributes" && comparesNumbers(comparison.values, operator, field);
  const isNamed = comparison.name.kind !== "other" && namedField(comparison.name.text) !== null;
  const named = isNamed ? comparison.name.text : field.written;
  if (asNumber) translation.edits.push({ ...comparison.name, text: `number(${named})` });
  else if (named !== comparison.name.text) translation.edits.push({ ...comparison.name, text: named });
  for (const value of comparison.values) {
    const text = isText && !asNumber ? textOf(value, field) : field.type === "time" ? timeOf(value) : numberOf(value, field);
    if (text === null) refuse(translation, value, EXPECTATION[field.type === "time" ? "time" : "number"]);
    else if (text !== value.text) translation.edits.push({ ...value, text });
  }
}

const EXPECTATION = {
  number: "a number, such as 0.1",
  time: "a time: '2026-11-27', '2026-11-27T10:00:00Z' or epoch milliseconds",
};

function comparesNumbers(values, operator, field) {
  const isOrdered = ORDERED.includes(operator);
  const isListed = ["=", "!=", "IN", "NOT IN"].includes(operator) && field.known?.numeric === true;
  return (isOrdered || isListed) && values.length > 0 && values.every(({ kind }) => kind === "number");
}

function textOf({ kind, text }, field) {
  if (kind === "text" || kind === "double") return text;
  const status = text.toUpperCase();
  return quoted(field.written === "status" && STATUSES.includes(status) ? status : text);
}

function numberOf({ kind, text }, field) {
  if (kind === "number") return text;
  const content = unquoted(text);
  if (DECIMAL.test(content)) return content;
  const [, size, unit] = (field.key === "duration" && SPAN.exec(content)) || [];
  return unit ? String(Math.round(Number(size) * MILLISECONDS[unit])) : null;
}

function timeOf({ kind, text }) {
  if (kind === "number" || kind === "text" || kind === "double") return text;
  return TIME.test(text) ? quoted(text) : null;
}

function refuse(translation, { start }, expected) {
  translation.problem ??= { position: start, expected, isOpen: false };
}

function edited(text, edits) {
  let written = "";
  let at = 0;
  for (const edit of edits.sort((one, other) => one.start - other.start || one.end - other.end)) {
    written += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return written + text.slice(at);
}
