// What the page of a run asks of the API, and when it asks again.
import { useEffect, useMemo, useState } from "preact/hooks";
import { ask } from "../api.js";
import { useLooks } from "../live/looks.js";
import { useResource } from "../resource.js";
import { batches, sectionOf } from "./series.js";

const PEERS = 1000; // runs at most that a run is ranked among
const PATIENCE = 10; // times that a long history is asked for, which the service goes on reading meanwhile
const PAUSE = 2000; // ms before it is asked for again

/** Whether a run may still log something. @param {{status: string}} run */
export function isActive({ status }) {
  return status === "RUNNING" || status === "SCHEDULED";
}

/** A run, looked at again while it is active. @param {string} id @param {string|undefined} experiment of the run */
export function useRun(id, experiment) {
  const [isOn, setOn] = useState(false);
  const [hasFailed, setFailed] = useState(false);
  const look = useLooks({ ids: [id], experimentIds: experiment === undefined ? [] : [experiment], isOn, hasFailed });
  const run = useResource(
    (signal, fresh) => ask(`runs/${encodeURIComponent(id)}`, { signal, fresh: fresh || look.ids.length > 0 }),
    [id, look.number],
  );
  useEffect(() => setOn(run.data !== undefined && isActive(run.data)), [run.data]);
  useEffect(() => setFailed(run.error !== null), [run.error]);
  return run;
}

/** What a run comes from, and in which experiment it is. @param {string} id */
export function useLineage(id) {
  return useResource((signal, fresh) => ask("lineage", { query: { ref: id }, signal, fresh }), [id]);
}

/**
 * The metrics of a run with their directions, and the values that other runs of its strategy and type have of them.
 * @param {{run: object, experiment: string|undefined, keys: string[]}} what keys: of which values are asked for
 * @returns {object} a resource: {directions: Map, ids: string[], values: Map, total: number, shown: number}
 */
export function usePeers({ run, experiment, keys }) {
  const { run_id: id, tags } = run;
  const names = keys.join("\n");
  return useResource(
    async (signal) => {
      if (experiment === undefined) return { data: undefined, meta: null };
      const own = `run_id = ${quoted(id)}`;
      const known = await ask("runs/fields", {
        query: { kind: "metrics", filter: own, experiment_id: experiment, limit: 10_000 },
        signal,
      });
      const fields = known.data.fields.map((field) => [field.name.replace(/^metrics\./, ""), field]);
      const written = fields.filter(([key]) => keys.includes(key)).map(([, field]) => field.written);
      const found = await peers(run, experiment, written, signal);
      const columns = Object.entries(found.data.columns ?? {});
      return {
        data: {
          directions: new Map(fields),
          ids: found.data.columns?.run_id ?? [],
          values: new Map(columns.map(([name, values]) => [name.replace(/^metrics\./, ""), values])),
          total: found.data.total,
        },
        meta: found.meta,
      };
    },
    [id, experiment, tags.strategy_id, tags.run_type, names],
  );
}

function peers({ tags }, experiment, fields, signal) {
  if (!tags.strategy_id || fields.length === 0) return { data: { total: 0 }, meta: null };
  const filter = peerFilter(tags);
  const body = { filter, experiment_id: [experiment], page_size: PEERS, format: "columns", fields: ["run_id", ...fields] };
  return ask("runs/search", { body, signal });
}

/** Which runs a run is ranked among, as a filter. @param {object} tags its own */
export function peerFilter({ strategy_id: strategy, run_type: type }) {
  const same = `tags.strategy_id = ${quoted(strategy)}`;
  return type ? `${same} AND tags.run_type = ${quoted(type)}` : same;
}

/** A text as a filter has it. */
export function quoted(text) {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A text that is another one whenever an active run may have logged something. @param {object} run */
export function versionOf(run) {
  return isActive(run) ? JSON.stringify(run.metrics) : run.status;
}

/** Two runs compared, the other one the baseline. */
export function useComparison(id, base, version) {
  return useResource(
    (signal, fresh) => {
      if (!base || base === id) return Promise.resolve({ data: null, meta: null });
      return ask("runs/compare/analysis", { query: { run_id: [base, id], baseline: base }, signal, fresh });
    },
    [id, base],
    version,
  );
}

/**
 * The histories of metrics, or sections of them.
 * @param {{id: string, keys: string[], axis: "step"|"time", points: number, range?: [number, number]|null,
 *   version: string}} what version: another one where there may be new points
 * @returns {object} a resource: a Map of a key to its series
 */
export function useHistories({ id, keys, axis, points, range = null, version }) {
  const names = keys.join("\n");
  const section = useMemo(() => (range ? sectionOf(range) : {}), [range?.[0], range?.[1]]);
  return useResource(
    async (signal, fresh) => {
      const query = { max_points: points, axis, ...section };
      const path = `runs/${encodeURIComponent(id)}/metrics/history`;
      const answers = await Promise.all(
        batches(keys).map((key) => patiently((isFirst) => ask(path, { query: { ...query, key }, signal, fresh: fresh && isFirst }), signal)),
      );
      const series = answers.flatMap(({ data }) => Object.entries(data.series));
      const { meta } = answers.find((answer) => answer.meta.isRenewed) ?? answers[0] ?? { meta: null };
      return { data: { series: new Map(series), axis, section }, meta };
    },
    [id, names, axis, points, section],
    version,
  );
}

// A first answer may come too late where a history is very long. The service reads on, and has it when asked again.
async function patiently(attempt, signal) {
  for (let left = PATIENCE; ; left--) {
    try {
      return await attempt(left === PATIENCE);
    } catch (error) {
      if (error.status !== 504 || left === 0 || signal.aborted) throw error;
      await new Promise((resume) => setTimeout(resume, error.retryAfter ? error.retryAfter * 1000 : PAUSE));
    }
  }
}

/** What a metric says that was logged once a fold. */
export function useFolds(id, key, version) {
  return useResource(
    (signal, fresh) => ask(`runs/${encodeURIComponent(id)}/folds`, { query: { key }, signal, fresh }),
    [id, key],
    version,
  );
}
