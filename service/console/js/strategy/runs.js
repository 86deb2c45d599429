// The runs of a strategy that have a metric, oldest first.
import { ask } from "../api.js";
import { runsOf } from "./view.js";

const PAGE = 1000;
const MOST = 5000; // runs that are drawn; the service judges no more either

/**
 * @typedef {{id: string, name: string, type: string, status: string, time: number, value: number | null}} Trial
 *   value: null where it is not a finite number.
 */

/**
 * @param {{id: string, type: string, metric: string, experiments: string}} of
 * @param {AbortSignal} signal @param {boolean} fresh
 * @returns {Promise<{data: {trials: Trial[], total: number}, meta: object}>} trials: at most MOST, the newest
 */
export async function trialsOf({ id, type, metric, experiments }, signal, fresh) {
  const field = `metrics.${written(metric)}`;
  const query = {
    filter: `${runsOf(id, type)} AND ${field} IS NOT NULL`,
    fields: `run_id,run_name,status,start_time,tags.run_type,${field}`,
    order_by: "start_time desc",
    format: "columns",
    page_size: PAGE,
    experiment_id: experiments,
  };
  const trials = [];
  let answer = null;
  do {
    answer = await ask("runs/search", {
      query: { ...query, page_token: answer?.data.next_page_token },
      signal,
      fresh: fresh && answer === null,
    });
    trials.push(...rows(answer.data.columns, metric));
  } while (answer.data.next_page_token && trials.length < MOST);
  return { data: { trials: trials.reverse(), total: answer.data.total ?? trials.length }, meta: answer.meta };
}

/** A key as a filter has it, in quotes. @param {string} key */
export function written(key) {
  const quote = key.includes("`") ? '"' : "`";
  return `${quote}${key.replaceAll(quote, quote + quote)}${quote}`;
}

function rows(columns, metric) {
  const { run_id: ids, run_name: names, status: statuses, start_time: times } = columns;
  const types = columns["tags.run_type"];
  const values = columns[`metrics.${metric}`];
  return ids.map((id, index) => ({
    id,
    name: names[index] ?? "",
    type: types[index] ?? "",
    status: statuses[index],
    time: times[index],
    value: values[index],
  }));
}
