// The columns that a reader is choosing, until they are applied. Pure.

/** @typedef {{cols: string[], pin: string[]}} Choice cols: shown, in their order. pin: those that stay. */

/** With a column at the end, or without it. @param {Choice} choice @returns {Choice} */
export function toggled({ cols, pin }, name) {
  if (!cols.includes(name)) return { cols: [...cols, name], pin };
  return { cols: cols.filter((one) => one !== name), pin: pin.filter((one) => one !== name) };
}

/** With a column that stays, or does not any more. @param {Choice} choice @returns {Choice} */
export function pinned({ cols, pin }, name) {
  return { cols, pin: pin.includes(name) ? pin.filter((one) => one !== name) : [...pin, name] };
}

/** With a column so many places further; at an end it stays where it is. @param {Choice} choice @returns {Choice} */
export function moved({ cols, pin }, name, step) {
  const from = cols.indexOf(name);
  const to = Math.min(cols.length - 1, Math.max(0, from + step));
  return { cols: cols.toSpliced(from, 1).toSpliced(to, 0, name), pin };
}
