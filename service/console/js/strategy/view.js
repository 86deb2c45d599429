// The views of the page "Strategy", as its address has them, and the queries that they stand for.
import { list, viewOf } from "../url.js";

/**
 * Of all strategies. q: a text in the strategy's id, or a filter in the API's grammar. metric: summed up for each.
 * sort: "runs", "key", "last_start_time", "n", "mean" or "max", with "-" before it to descend. after: a page's token.
 */
export const listView = viewOf([
  { name: "q", initial: "" },
  { name: "metric", initial: "" },
  { name: "sort", initial: "-runs" },
  { name: "after", initial: "" },
  { name: "exp", initial: [], ...list },
]);

/**
 * Of one strategy. metric: "" for the one that is chosen for it. type: of runs, "" for all. unit, ppy, obs: what the
 * reader declares of the Sharpe ratio. wf, cpcv: what is shown of walk forwards and paths. exp: ids of experiments.
 */
export const strategyView = viewOf([
  { name: "id", initial: "" },
  { name: "metric", initial: "" },
  { name: "type", initial: "" },
  { name: "unit", initial: "", parse: (text) => (["annual", "period"].includes(text) ? text : undefined) },
  { name: "ppy", initial: "" },
  { name: "obs", initial: "" },
  { name: "wf", initial: "" },
  { name: "cpcv", initial: "" },
  { name: "exp", initial: [], ...list },
]);

const IS_FILTER = /[=<>]|\b(in|like|ilike|is)\b/i;

/** A text in a filter. @param {string} text */
export function quoted(text) {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The filter that a reader's text means: itself where it compares something, else a part of the strategy's id. */
export function filterOf(text) {
  const typed = text.trim();
  if (!typed || IS_FILTER.test(typed)) return typed;
  return `tags.strategy_id ILIKE ${quoted(`%${typed}%`)}`;
}

/** The filter of a strategy's runs, of one run type or all. @param {string} id @param {string} [type] */
export function runsOf(id, type = "") {
  const strategy = `tags.strategy_id = ${quoted(id)}`;
  return type ? `${strategy} AND tags.run_type = ${quoted(type)}` : strategy;
}

/** The address of the runs that a filter finds. @param {string} filter @param {string[]} exp */
export function runsHref(filter, exp = []) {
  const experiments = exp.length ? `&exp=${exp.map(encodeURIComponent).join(",")}` : "";
  return `runs?q=${encodeURIComponent(filter)}${experiments}`;
}

/** The address of a run's page. @param {string} id */
export function runHref(id) {
  return `run?id=${encodeURIComponent(id)}`;
}

/** The address of a strategy's page. @param {string} id @param {string[]} exp */
export function strategyHref(id, exp = []) {
  return `strategy${strategyView.query({ id, exp }, new URLSearchParams())}`;
}

/** What `order_by` of the list means. @param {string} sort @param {string} written the metric, as a filter has it */
export function orderOf(sort, written) {
  const name = sort.replace(/^-/, "");
  const field = ["n", "mean", "max"].includes(name) ? written && `${written}.${name}` : name;
  return `${field || "runs"} ${sort.startsWith("-") || !field ? "desc" : "asc"}`;
}
