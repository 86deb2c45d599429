// Which runs are selected, as the address has it. Pure.

/** Runs that can be selected, which is as many as can be compared. */
export const MOST = 100;

/** With a run that was not selected, or without one that was. @param {string[]} selected */
export function toggled(selected, id) {
  return selected.includes(id) ? selected.filter((one) => one !== id) : added(selected, [id]);
}

/** With these runs, as many as there may be. @param {string[]} selected @param {string[]} ids */
export function added(selected, ids) {
  return [...new Set([...selected, ...ids])].slice(0, MOST);
}

/** The ids of the rows between two places, both included, that have been read. */
export function between(rows, one, other) {
  const ids = [];
  for (let place = Math.min(one, other); place <= Math.max(one, other); place++) {
    const row = rows.at(place);
    if (row) ids.push(row.id);
  }
  return ids;
}

/** Why these runs cannot be compared, or "". */
export function whyNotCompared(selected) {
  return selected.length < 2 ? "Select at least two runs to compare." : "";
}
