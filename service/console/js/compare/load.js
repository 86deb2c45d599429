// What a comparison asks the API: the analysis of the runs that exist, and their names, status and experiments.
import { addressOf, ask } from "../api.js";
import { FEWEST } from "./view.js";

const LONGEST = 6000; // characters of an address that every proxy passes; a longer question is posted
const EXPERIMENTS = 100; // that one search may name
const HEAD = ["run_id", "run_name", "status", "start_time", "end_time", "experiment_id"];
const FILTER = 4000; // characters of ids in a filter, which may have 4,096
const ACTIVE = ["RUNNING", "SCHEDULED"];

/**
 * The analysis of those runs that exist.
 * @param {string[]} ids @param {string} base @param {string[]} metrics [] for all
 * @param {{signal?: AbortSignal, fresh?: boolean}} options
 * @returns {Promise<{data: {analysis: object | null, ids: string[], missing: string[]}, meta: object | null}>}
 *   ids: that exist. analysis: null where they are fewer than two.
 */
export async function analysed(ids, base, metrics, options, missing = []) {
  if (ids.length < FEWEST) return { data: { analysis: null, ids, missing }, meta: null };
  const baseline = ids.includes(base) ? base : ids[0];
  // In an order that stays when a run is moved in the table.
  const runs = [baseline, ...ids.filter((id) => id !== baseline).sort()];
  try {
    const query = { run_id: runs, baseline, metrics };
    const { data, meta } = await asked("runs/compare/analysis", query, { run_ids: runs, baseline, metrics }, options);
    return { data: { analysis: data, ids, missing }, meta };
  } catch (error) {
    const unknown = error.problem?.missing_run_ids ?? [];
    const left = ids.filter((id) => !unknown.includes(id));
    if (error.code !== "run_not_found" || left.length === ids.length) throw error;
    return analysed(left, base, metrics, options, [...missing, ...unknown]);
  }
}

/**
 * What search knows of the runs, by id; what it does not, such as deleted runs, is asked for one by one.
 * @param {string[]} ids @param {{signal?: AbortSignal, fresh?: boolean}} options
 */
export async function headsOf(ids, options) {
  const heads = new Map();
  const left = () => ids.filter((id) => !heads.has(id));
  const find = async (experiments) => {
    for (const some of parts(left())) {
      const { data } = await found(some, experiments, options);
      for (const run of data.runs) heads.set(run.run_id, run);
    }
  };
  await find([]);
  if (left().length) {
    const { data } = await ask("experiments", options);
    const experiments = data.experiments.map((one) => one.experiment_id);
    for (let from = 0; from < experiments.length && left().length; from += EXPERIMENTS) {
      await find(experiments.slice(from, from + EXPERIMENTS));
    }
  }
  const alone = left().map((id) => ask(`runs/${encodeURIComponent(id)}`, options).catch(passingUnknown));
  for (const one of await Promise.all(alone)) if (one) heads.set(one.data.run_id, one.data);
  return { data: heads, meta: null };
}

/** The ids in as few parts as filters of at most 4 KiB need. Pure. @param {string[]} ids @returns {string[][]} */
export function parts(ids) {
  const lists = [];
  let room = 0;
  for (const id of ids) {
    room -= id.length + 4; // two quotes, a comma, a space
    if (room < 0 || !lists.length) {
      lists.push([]);
      room = FILTER - id.length - 4;
    }
    lists.at(-1).push(id);
  }
  return lists;
}

/**
 * The runs that the service is to ask MLflow for anew, since they have changed; those that are gone are passed over.
 * @param {string[]} ids @param {AbortSignal} signal
 */
export function renewed(ids, signal) {
  return Promise.all(ids.map((id) => ask(`runs/${encodeURIComponent(id)}`, { signal, fresh: true }).catch(passingUnknown)));
}

/**
 * The runs that may still log something. Pure.
 * @param {Map<string, object>} heads @returns {{ids: string[], experimentIds: string[]}} experimentIds: [] where not
 *   all of them are known
 */
export function activeOf(heads) {
  const active = [...heads.values()].filter(({ status }) => ACTIVE.includes(status));
  const experiments = [...new Set(active.map((run) => run.experiment_id))].sort();
  return { ids: active.map((run) => run.run_id).sort(), experimentIds: experiments.includes(undefined) ? [] : experiments };
}

function found(ids, experiments, options) {
  const filter = `run_id IN (${ids.map((id) => `'${id}'`).join(", ")})`;
  const query = { filter, page_size: ids.length, fields: HEAD.join(","), experiment_id: experiments.join(",") };
  return asked("runs/search", query, { ...query, fields: HEAD, experiment_id: experiments }, options);
}

function asked(path, query, body, { signal, fresh }) {
  const isShort = addressOf(path, query).href.length <= LONGEST;
  return ask(path, { ...(isShort ? { query } : { body }), signal, fresh });
}

function passingUnknown(error) {
  if (error.code !== "run_not_found") throw error;
  return null;
}
