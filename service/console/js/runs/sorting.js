// What the table of runs is sorted by. Pure.

const MOST = 5; // keys, as many as the API takes

/** How a field is sorted: "ascending", "descending" or "none". @param {string[]} sort @param {string} name */
export function directionOf(sort, name) {
  if (sort.includes(`-${name}`)) return "descending";
  return sort.includes(name) ? "ascending" : "none";
}

/** Which key of the order a field is, from 1; 0 where it is none. */
export function rankOf(sort, name) {
  return sort.findIndex((one) => nameOf(one) === name) + 1;
}

/**
 * The order after a reader has asked for this column: first the way that is read most (numbers from the highest,
 * texts from A), then the other way, then not by it at all.
 * @param {string[]} sort @param {{name: string, align: string, isTime: boolean}} column
 * @param {boolean} isFurther whether the keys that are there stay
 * @returns {string[]} [] for the order that a view has by itself
 */
export function sortedBy(sort, column, isFurther) {
  const others = isFurther ? sort.filter((one) => nameOf(one) !== column.name) : [];
  const isKnown = isFurther || sort.length === 1;
  const direction = isKnown ? directionOf(sort, column.name) : "none";
  const ways = column.align === "number" || column.isTime ? ["descending", "ascending"] : ["ascending", "descending"];
  const next = direction === "none" ? ways[0] : direction === ways[0] ? ways[1] : null;
  if (next === null) return others;
  const key = next === "descending" ? `-${column.name}` : column.name;
  const place = isFurther ? rankOf(sort, column.name) - 1 : -1;
  if (place >= 0) return sort.with(place, key);
  return [...others, key].slice(-MOST);
}

/** The order by the next column, or the one before. @param {number} step 1 or -1 */
export function sortedByNeighbour(sort, columns, step) {
  const place = columns.findIndex((column) => column.name === nameOf(sort[0] ?? ""));
  const next = place < 0 ? (step > 0 ? 0 : columns.length - 1) : (place + step + columns.length) % columns.length;
  return sortedBy([], columns[next], false);
}

/** The order in words, for those who do not see it. */
export function sortInWords(sort, labelOf) {
  const keys = sort.map((one) => `${labelOf(nameOf(one))}, ${one.startsWith("-") ? "descending" : "ascending"}`);
  return `sorted by ${keys.join(", then ")}`;
}

function nameOf(key) {
  return key.startsWith("-") ? key.slice(1) : key;
}
