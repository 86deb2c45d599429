// The view of the page "Runs", as its address has it. Fields of a run are named as in a search's columns.
import { FACET_FIELDS } from "../filter/choices.js";
import { flag, list, viewOf } from "../url.js";

/**
 * q: a filter in the API's grammar. exp: ids of experiments, none for the default one. Of each facet the values
 * that are chosen. sort: fields, the first
 * one counts most, with "-" before one that descends. cols: the columns shown, in their order; none for those
 * that `namesOf` chooses. pin: columns that stay when the others are scrolled. base: the id of the run that
 * others are compared with. sel: ids of selected runs. top: whether the selected runs stand above the others.
 * live: whether changes are shown as they come.
 */
export const view = viewOf([
  { name: "q", initial: "" },
  { name: "exp", initial: [], ...list },
  ...FACET_FIELDS,
  { name: "sort", initial: ["-start_time"], ...list },
  { name: "cols", initial: [], ...list },
  { name: "pin", initial: [], ...list },
  { name: "base", initial: "" },
  { name: "sel", initial: [], ...list },
  { name: "top", initial: false, ...flag },
  { name: "live", initial: true, ...flag },
]);
