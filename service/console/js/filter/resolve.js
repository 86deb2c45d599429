// Which field a name means. Pure.
import { allFields, namedField, unquoted } from "./fields.js";

const MOST_OPTIONS = 8;

/**
 * The field that a name means, or those that it may mean.
 * @param {{text: string, kind: string}} name as it is written
 * @param {Array<object> | null} listed the fields of GET /runs/fields; null: not known
 * @returns {{field: object | null, options: Array<object>}} field: null where nothing says which one is meant
 */
export function resolve(name, listed) {
  const fields = allFields(listed);
  const named = namedField(name.text);
  if (named) return { field: fields.find(({ written }) => written === named.written) ?? named, options: [] };
  const key = unquoted(name.text);
  const same = fields.filter((one) => one.key === key);
  if (same.length === 1) return { field: same[0], options: [] };
  return { field: null, options: same.length ? same : similar(key, fields).slice(0, MOST_OPTIONS) };
}

/** The fields that a text may be the beginning, a part or a shorter form of, likeliest first. */
export function similar(text, fields) {
  const sought = text.toLowerCase();
  return fields
    .map((field) => ({ field, rank: rankOf(sought, field) }))
    .filter(({ rank }) => rank < Infinity)
    .sort((one, other) => one.rank - other.rank || (other.field.known?.runs ?? 0) - (one.field.known?.runs ?? 0))
    .map(({ field }) => field);
}

function rankOf(sought, { key, written }) {
  const name = key.toLowerCase();
  if (name === sought) return 0;
  if (name.startsWith(sought)) return 1;
  if (written.toLowerCase().startsWith(sought)) return 1.5;
  const place = name.indexOf(sought);
  if (place > 0) return /[\p{L}\p{N}]/u.test(name[place - 1]) ? 3 : 2;
  if (written.toLowerCase().includes(sought)) return 3.5;
  return sought.length > 2 && hasInOrder(name, sought) ? 4 : Infinity;
}

/** Whether all characters of a text are in a name, in their order: `max_dd` in `max_drawdown`. */
function hasInOrder(name, sought) {
  let place = -1;
  return [...sought].every((character) => (place = name.indexOf(character, place + 1)) >= 0);
}
