// What the comparison keeps in its address, and how the list of runs in it changes. Pure but for `view`.
import { flag, list, viewOf } from "../url.js";

export const FEWEST = 2;
export const MOST = 100;

/** How the metrics are sorted: as the runs bring them, or by one of these. */
export const SORTS = ["order", "name", "spread", "regression"];

const oneOf = (choices) => (text) => (choices.includes(text) ? text : undefined);

export const view = viewOf([
  { name: "ids", initial: [], ...list },
  { name: "base", initial: "" },
  { name: "diff", initial: false, ...flag },
  { name: "rows", initial: "fields", parse: oneOf(["fields", "runs"]) },
  { name: "sort", initial: "order", parse: oneOf(SORTS) },
  { name: "find", initial: "" },
  { name: "equal", initial: [], ...list },
  { name: "history", initial: [], ...list },
  { name: "x", initial: "step", parse: oneOf(["step", "time"]) },
  { name: "across", initial: "" },
  { name: "up", initial: "" },
  { name: "axes", initial: [], ...list },
  { name: "front", initial: [], ...list },
]);

/** The ids that are asked for, each once, in the order of the address. @param {string[]} ids */
export function distinct(ids) {
  return [...new Set(ids.map((id) => id.trim()).filter(Boolean))];
}

/** The ids as they are shown: the baseline first. @param {string[]} ids @param {string} base */
export function baselineFirst(ids, base) {
  return ids.includes(base) ? [base, ...ids.filter((id) => id !== base)] : ids;
}

/** What changes without these runs: the baseline, too, where it is among them. */
export function without({ ids, base }, removed) {
  return { ids: ids.filter((id) => !removed.includes(id)), base: removed.includes(base) ? "" : base };
}

/**
 * The ids after one run has gone a place to the left (-1) or to the right (1) of where it is shown. The baseline
 * stays first, whatever its place in the address.
 * @param {string[]} ids @param {string} base @param {string} id @param {-1 | 1} by
 */
export function moved(ids, base, id, by) {
  const others = ids.filter((one) => one !== base);
  const neighbour = others[others.indexOf(id) + by];
  if (id === base || !neighbour) return ids;
  return ids.map((one) => (one === id ? neighbour : one === neighbour ? id : one));
}

/**
 * The run id in what somebody pastes: an id, or the address of a run's page here or of MLflow. "" where there is none.
 * @param {string} text
 */
export function pastedId(text) {
  const trimmed = text.trim();
  const address = /(?:[?&]id=|\/runs\/|runs:\/)([A-Za-z0-9][\w-]*)/.exec(trimmed);
  if (address) return address[1];
  return /^[A-Za-z0-9][\w-]{0,255}$/.test(trimmed) ? trimmed : "";
}
