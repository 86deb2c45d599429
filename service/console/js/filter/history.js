// The filters that were last asked in this browser.
const KEPT = "experiment-tracking.filters";
const MOST = 20;
const LONGEST = 500; // characters

/** The filters, newest first. @returns {string[]} */
export function lastFilters() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

/** Keep a filter as the newest. @param {string} filter */
export function remember(filter) {
  if (!filter || filter.length > LONGEST) return;
  try {
    localStorage.setItem(KEPT, JSON.stringify([filter, ...lastFilters().filter((one) => one !== filter)].slice(0, MOST)));
  } catch {
    // A browser may forbid it; then there is no list.
  }
}
