// What may be put in at a place of a filter. Pure.
import { describe } from "./describe.js";
import { STATUSES, allFields, quoted, unquoted } from "./fields.js";
import { tokensOf } from "./lexer.js";
import { read } from "./reading.js";
import { resolve, similar } from "./resolve.js";
import { count } from "../format.js";

const MOST = 50;
const TYPED = ["word", "other", "number", "field", "openField", "openText", "text", "double", "backtick"];
const COMPARED = [["=", "is"], ["!=", "is another one than"]];
const ORDERED = [[">", "is greater than"], [">=", "is at least"], ["<", "is less than"], ["<=", "is at most"]];
const LISTED = [["IN (", "is one of"], ["NOT IN (", "is none of"]];
const PATTERNS = [["LIKE", "fits a pattern: % is any text, _ any character"], ["ILIKE", "the same, whatever the case"]];
const THERE = [["IS NULL", "is not logged"], ["IS NOT NULL", "is logged"]];
const CONNECTIVES = [["AND", "both hold"], ["OR", "one of both holds"]];

/**
 * What stands around the caret of a filter.
 * @param {string} text
 * @param {number} caret in UTF-16 units
 * @param {Array<object> | null} listed the fields of GET /runs/fields; null: not known
 * @returns {{state: string, prefix: string, start: number, end: number, field: object | null}}
 *   state: as of `read`, before the prefix. prefix: what is typed of it already, which stands from start; a choice
 *   takes the place up to end. field: of the comparison that the caret is in.
 */
export function contextAt(text, caret, listed) {
  const before = tokensOf(text.slice(0, caret));
  const last = before.at(-1);
  const isTyped = last?.end === caret && TYPED.includes(last.kind);
  const start = isTyped ? last.start : caret;
  const { state, current } = read(text.slice(0, start));
  const whole = isTyped ? tokensOf(text).find((token) => token.start === start) : null;
  const field = current?.name ? resolve(current.name, listed).field : null;
  const end = Math.max(caret, last?.kind.startsWith("open") ? caret : (whole?.end ?? caret));
  return { state, prefix: text.slice(start, caret), start, end, field, isNumber: current?.isNumber ?? false };
}

/** Whether values of the context's field are to be asked for. */
export function wantsValues({ state, field, isNumber }) {
  return ["value", "listValue"].includes(state) && field?.type === "text" && field.written !== "status" && !isNumber;
}

/**
 * The choices at a place.
 * @param {object} context of `contextAt`
 * @param {Array<object> | null} listed the fields of GET /runs/fields; null: not known
 * @param {Array<{value: string, count: number}>} values of the context's field
 * @returns {Array<{label: string, detail: string, insert: string}>} insert: takes the prefix's place
 */
export function choicesAt(context, listed, values = []) {
  const { state, prefix, field } = context;
  switch (state) {
    case "operand":
      return fieldChoices(prefix, allFields(listed));
    case "numberField":
      return fieldChoices(prefix, allFields(listed).filter(({ kind }) => kind === "params" || kind === "tags"), "");
    case "operator":
      return field ? beginning(prefix, operatorsOf(field)) : beginning(prefix, CONNECTIVES);
    case "connective":
    case "valueTail":
      return [...beginning(prefix, CONNECTIVES), ...(prefix ? fieldChoices(prefix, allFields(listed)) : [])];
    case "isNull":
      return beginning(prefix, [["NULL", "is not logged"], ["NOT NULL", "is logged"]]);
    case "afterNot":
      return beginning(prefix, [["IN (", "is none of"]]);
    case "value":
    case "listValue":
      return valueChoices(context, values);
    default:
      return [];
  }
}

/** A text in which a choice was put in: {text, caret}. */
export function chosen(text, { start, end }, { insert }) {
  const rest = text.slice(end);
  const isSpaced = insert.endsWith(" ") && rest.startsWith(" ");
  return { text: text.slice(0, start) + insert + (isSpaced ? rest.slice(1) : rest), caret: start + insert.length };
}

function fieldChoices(prefix, fields, space = " ") {
  const sought = unquoted(prefix).replace(/\.[`"]/, ".");
  const fitting = sought ? similar(sought, fields) : fields;
  return fitting.slice(0, MOST).map((field) => ({ label: field.written, detail: describe(field), insert: `${field.written}${space}` }));
}

function operatorsOf({ kind, type }) {
  if (type !== "text") return [...ORDERED, ...COMPARED, ...THERE];
  return [...COMPARED, ...LISTED, ...PATTERNS, ...(kind === "attributes" ? [] : ORDERED), ...THERE];
}

function beginning(prefix, words) {
  const sought = prefix.toUpperCase();
  return words
    .filter(([word]) => word.startsWith(sought))
    .map(([word, detail]) => ({ label: word, detail, insert: word.endsWith("(") ? word : `${word} ` }));
}

function valueChoices({ prefix, field, state }, values) {
  if (!field) return [];
  const after = state === "listValue" ? "" : " ";
  const sought = unquoted(prefix).toLowerCase();
  const offered = field.written === "status" ? STATUSES.map((value) => ({ value })) : values;
  return offered
    .filter(({ value }) => value !== null && String(value).toLowerCase().includes(sought))
    .slice(0, MOST)
    .map(({ value, count: runs }) => ({
      label: value === "" ? "''" : String(value),
      detail: runs === undefined ? "" : `${count(runs)} ${runs === 1 ? "run" : "runs"}`,
      insert: `${field.type === "text" ? quoted(String(value)) : value}${after}`,
    }));
}
