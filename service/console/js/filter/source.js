// What the filter bar asks of the service: the fields that runs have, and the values of one.
import { useEffect, useState } from "preact/hooks";
import { ask } from "../api.js";
import { joined } from "./choices.js";
import { quoted } from "./fields.js";

const MOST_FIELDS = 1000;

/**
 * The fields of the runs in these experiments.
 * @param {string[]} experimentIds [] for the default one
 * @returns {{fields: Array<object> | null, isOld: boolean}} fields: null while they are not known, and where the
 *   service cannot say them. isOld: the replica does not have the route.
 */
export function useFields(experimentIds) {
  const [state, setState] = useState({ fields: null, isOld: false });
  const of = experimentIds.join(",");
  useEffect(() => {
    const controller = new AbortController();
    ask("runs/fields", { query: { experiment_id: of, limit: MOST_FIELDS }, signal: controller.signal })
      .then(({ data }) => setState({ fields: data.fields, isOld: false }))
      .catch((error) => {
        if (error.name === "AbortError") return;
        if (error.name !== "ApiError") throw error;
        setState((old) => ({ fields: old.fields, isOld: error.status === 404 }));
      });
    return () => controller.abort();
  }, [of]);
  return state;
}

/**
 * The values of a field that contain a text, the most frequent first.
 * @param {object} field of `fieldOf`
 * @param {string} text
 * @param {{within?: string, experimentIds?: string[], signal?: AbortSignal}} [options] within: a filter
 * @returns {Promise<Array<{value: string, count: number}>>} [] where the service cannot say
 */
export async function valuesOf(field, text, { within = "", experimentIds = [], signal } = {}) {
  const { written } = field;
  const filter = joined([within, text && `${written} ILIKE ${quoted(`%${text}%`)}`]);
  const query = { page_size: 1, fields: "run_id", facets: written, filter, experiment_id: experimentIds.join(",") };
  try {
    const { data } = await ask("runs/search", { query, signal });
    return Object.values(data.facets)[0] ?? [];
  } catch (error) {
    if (error.name !== "ApiError") throw error;
    return [];
  }
}
