// Which rows or columns of a long table lie in the part that is seen. Pure.

/**
 * Where each begins, and where the last one ends.
 * @param {Array<{size: number}>} things px
 */
export function offsetsOf(things) {
  const offsets = [0];
  for (const { size } of things) offsets.push(offsets.at(-1) + size);
  return offsets;
}

/**
 * The first that is seen, and the one behind the last.
 * @param {number[]} offsets of offsetsOf @param {number} start px that are scrolled away @param {number} extent px seen
 * @param {number} around as many more on each side, so that a step of scrolling shows no gap
 * @returns {[number, number]}
 */
export function seenOf(offsets, start, extent, around) {
  const count = offsets.length - 1;
  const first = Math.max(0, lastAtMost(offsets, start) - around);
  const end = Math.min(count, lastAtMost(offsets, start + extent) + 1 + around);
  return [Math.min(first, count), end];
}

function lastAtMost(offsets, at) {
  let [low, high] = [0, offsets.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (offsets[middle] <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}
