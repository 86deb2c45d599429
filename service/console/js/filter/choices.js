// What a view of runs is narrowed to: a filter in the API's grammar, and choices among the values of some fields.
// Both stand in the address: `?q=metrics.oos_sharpe > 1.2&type=cpcv,training&status=FINISHED`. Pure.
import { quoted } from "./fields.js";
import { conjuncts, hasOrOutside } from "./parts.js";

/** A value that stands for "not logged", next to the texts. */
export const NOT_LOGGED = null;

/** The fields whose values are offered: their name in the address, in a filter, and for people. */
export const FACETS = [
  { name: "type", field: "tags.run_type", title: "Run type" },
  { name: "strategy", field: "tags.strategy_id", title: "Strategy" },
  { name: "status", field: "status", title: "Status" },
  { name: "dataset", field: "tags.dataset_version", title: "Data set" },
  { name: "features", field: "tags.feature_version", title: "Features" },
  { name: "signal", field: "tags.signal_version", title: "Signal" },
  { name: "model", field: "tags.model_version", title: "Model" },
  { name: "user", field: "user_id", title: "User" },
];

const MARKS = new Map([["-", NOT_LOGGED], ["''", ""]]); // a text that is one of them has a backslash before it

/** What the address keeps of the choices, for `viewOf`; beside them it has `q`, the text of the filter. */
export const FACET_FIELDS = FACETS.map(({ name }) => ({
  name,
  initial: [],
  parse: parseChoices,
  print: printChoices,
}));

/** Choices as the address has them: "training,cpcv", and "-" for what is not logged. @param {Array<string | null>} chosen */
export function printChoices(chosen) {
  return chosen.map(printed).join(",");
}

/** The choices of an address. @param {string} text @returns {Array<string | null>} */
export function parseChoices(text) {
  return text === "" ? [] : [...text.matchAll(/(?:^|,)((?:\\.|[^,\\])*)/gs)].map(([, one]) => valueOf(one));
}

/**
 * The filter of a view, as the API is asked it.
 * @param {object} view `q` and the values of FACET_FIELDS
 * @param {string} [without] the name of a facet whose choice is left out
 */
export function filterOf(view, without = "") {
  return joined([view.q.trim(), ...FACETS.map((facet) => (facet.name === without ? "" : choiceOf(facet, view[facet.name])))]);
}

/**
 * The parts of a view's filter, of which all must hold: those of the text, and one for each facet.
 * @returns {Array<{text: string, changes: object}>} changes: of the view, that drop the part
 */
export function partsOf(view) {
  const written = conjuncts(view.q);
  const ofText = written.map((text, place) => ({ text, changes: { q: joined(written.filter((_, other) => other !== place)) } }));
  const ofFacets = FACETS.filter(({ name }) => view[name].length > 0).map((facet) => ({
    text: choiceOf(facet, view[facet.name]),
    changes: { [facet.name]: [] },
  }));
  return [...ofText, ...ofFacets];
}

/** Filters of which all must hold, as one. @param {string[]} filters */
export function joined(filters) {
  const some = filters.filter(Boolean);
  return some.length === 1 ? some[0] : some.map((one) => (hasOrOutside(one) ? `(${one})` : one)).join(" AND ");
}

/** At which character of its own text a view's filter is wrong, null where that is elsewhere. */
export function placeInText(view, position) {
  const text = view.q.trim();
  const place = position - (hasOrOutside(text) && filterOf(view) !== text ? 1 : 0);
  return place >= 0 && place <= [...text].length ? place : null;
}

function choiceOf({ field }, chosen) {
  const texts = chosen.filter((value) => value !== NOT_LOGGED);
  const some = texts.length > 1 ? `${field} IN (${texts.map(quoted).join(", ")})` : texts.map((one) => `${field} = ${quoted(one)}`)[0];
  if (texts.length === chosen.length) return some ?? "";
  return some ? `(${some} OR ${field} IS NULL)` : `${field} IS NULL`;
}

function valueOf(printed) {
  return MARKS.has(printed) ? MARKS.get(printed) : printed.replace(/\\(.)/gs, "$1");
}

function printed(value) {
  for (const [mark, meaning] of MARKS) {
    if (value === meaning) return mark;
    if (value === mark) return `\\${mark}`;
  }
  return value.replace(/[\\,]/g, "\\$&");
}
