// Which fields the runs of the chosen experiments have, whatever the filter: so columns stay when it changes.
import { ask } from "../api.js";
import { useResource } from "../resource.js";
import { fieldsIn } from "./columns.js";

const LOOKED_AT = 100; // runs, where the service keeps no index

/** @param {string[]} exp ids of experiments @returns {object} a resource, as of `useResource` */
export function useFields(exp) {
  return useResource((signal) => fieldsOf(exp.join(","), signal), [exp.join(",")]);
}

async function fieldsOf(experimentId, signal) {
  try {
    return await ask("runs/fields", { query: { experiment_id: experimentId }, signal });
  } catch (error) {
    if (!["invalid_request", "index_not_ready"].includes(error.code)) throw error;
    const query = { experiment_id: experimentId, page_size: LOOKED_AT };
    const { data, meta } = await ask("runs/search", { query, signal });
    return { data: { fields: fieldsIn(data.runs), total: data.runs.length, counts: {} }, meta };
  }
}
