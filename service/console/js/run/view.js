// The view of the page "Run", as its address has it.
import { flag, list, viewOf } from "../url.js";

/**
 * id: the run. base: the id of the run that it is compared with. find: a text in names of metrics. axis: of the
 * histories. log: whether their values are on a logarithmic axis. keys: whose histories are shown, none for those
 * that the page chooses. zoom: the part of the axis that is shown, null for all.
 */
export const view = viewOf([
  { name: "id", initial: "" },
  { name: "base", initial: "" },
  { name: "find", initial: "" },
  { name: "axis", initial: "step", parse: (text) => (text === "time" ? "time" : "step") },
  { name: "log", initial: false, ...flag },
  { name: "keys", initial: [], ...list },
  { name: "zoom", initial: null, parse: rangeOf, print: (range) => (range ? range.join(",") : "") },
]);

function rangeOf(text) {
  const ends = text.split(",").map(Number);
  return ends.length === 2 && ends.every(Number.isFinite) && ends[0] < ends[1] ? ends : undefined;
}
