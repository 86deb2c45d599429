// The values of a field, as the service knows them.
import { ask } from "../api.js";
import { joined } from "./choices.js";
import { quoted } from "./fields.js";

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
