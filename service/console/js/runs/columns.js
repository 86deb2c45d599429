// Which columns the table of runs has, and what each is. Pure.
import { fieldOf } from "./fields.js";
import { nameOf } from "./sorting.js";

const MOST = 12; // columns that are chosen for a reader who has chosen none
const FIRST = ["run_name", "status", "start_time", "duration"];
const TIMES = ["start_time", "end_time"];
const LABELS = {
  run_name: "run",
  status: "status",
  start_time: "started",
  end_time: "ended",
  duration: "duration",
  run_id: "run id",
  user_id: "user",
  artifact_uri: "artifacts",
  experiment_id: "experiment",
};
const KINDS = { metrics: "metric", params: "param", tags: "tag", attributes: "" };
const WIDTHS = { run_name: 224, status: 92, start_time: 166, end_time: 166, duration: 100, run_id: 250, "tags.run_type": 128 };
const [NARROWEST, WIDEST, CHARACTER, AROUND] = [92, 200, 7.4, 36]; // px
const OF_DELTA = 80; // px, that the difference from the baseline takes
export const CHECK = 34; // px, of the column of check boxes

/**
 * A column. kind: the word that stands above its label, "" for attributes. align: "number" or "text".
 * direction: of a metric, as the API's /runs/fields has it. isNumeric: whether all texts of it are numbers.
 * at: px from the left edge. left: the same, where it stays when the others are scrolled; null where it does not.
 * @typedef {{name: string, label: string, kind: string, align: string, direction: string | null,
 *   isMetric: boolean, isTime: boolean, isNumeric: boolean, width: number, at: number, left: number | null}} Column
 */

/**
 * The names of the columns of a view. The run's name is always among them.
 * @param {{cols: string[], sort: string[]}} state
 * @param {Array<object>} fields as /runs/fields has them
 * @param {number} total runs that those were counted over
 */
export function namesOf({ cols, sort }, fields, total) {
  return [...new Set(["run_name", ...(cols.length ? cols : chosen(fields, total, sort.map(nameOf)))])];
}

/**
 * The columns of a view, those that stay first. The run's name always stays.
 * @param {string[]} names of `namesOf` @param {{pin: string[], base: string}} state
 * @param {Array<object>} fields as /runs/fields has them
 * @returns {Column[]}
 */
export function columnsOf(names, { pin, base }, fields) {
  const known = new Map(fields.map((field) => [field.name, field]));
  const isPinned = (name) => name === "run_name" || pin.includes(name);
  const ordered = [...names.filter(isPinned), ...names.filter((name) => !isPinned(name))];
  let at = CHECK;
  return ordered.map((name) => {
    const column = columnOf(name, known.get(name), Boolean(base));
    const placed = { ...column, at, left: isPinned(name) ? at : null };
    at += column.width;
    return placed;
  });
}

/**
 * The names of the columns for a reader who has chosen none: metrics of which it is known when they are better,
 * other metrics, and params that vary, each by the number of runs that have them. sorted: what the table is sorted
 * by, which is among them in any case; a column that is there already stays where it is.
 */
export function chosen(fields, total, sorted = []) {
  if (!fields.length) return [...FIRST, ...sorted];
  const varied = (kind) => fields.filter((field) => field.kind === kind && varies(field, total));
  const measured = fields.filter((field) => field.kind === "metrics");
  const metrics = [...measured.filter(isJudged), ...measured.filter((field) => !isJudged(field))].map((field) => field.name);
  const params = varied("params").map((field) => field.name);
  const type = varied("tags").some((field) => field.name === "tags.run_type") ? ["tags.run_type"] : [];
  const places = MOST - FIRST.length - type.length;
  const ofParams = Math.min(params.length, Math.max(places - metrics.length, Math.floor(places / 2)));
  const first = [...FIRST, ...type];
  const varying = [...metrics.slice(0, places - ofParams), ...params.slice(0, ofParams)];
  const others = sorted.filter((name) => ![...first, ...varying].includes(name));
  return [...first, ...others, ...varying];
}

// Whether a rule says that a metric is better when higher, lower or nearer to zero.
function isJudged({ direction, rule }) {
  return rule !== null && direction !== "none";
}

/** Whether not all runs have the same value of a field. */
export function varies({ distinct, runs, min, max }, total) {
  return distinct > 1 || runs < total || min !== max;
}

/** Fields as /runs/fields would have them, of some runs: for a service that keeps no index. */
export function fieldsIn(runs) {
  const found = new Map();
  for (const run of runs) {
    for (const kind of ["params", "metrics", "tags"]) {
      for (const [key, value] of Object.entries(run[kind])) {
        const name = `${kind}.${key}`;
        if (!found.has(name)) found.set(name, { name, kind, runs: 0, values: new Set() });
        const field = found.get(name);
        field.runs += 1;
        field.values.add(value);
      }
    }
  }
  const fields = [...found.values()].map(({ values, ...field }) => ({
    ...field,
    distinct: values.size,
    numeric: field.kind === "params" && [...values].every(isNumber),
    min: null,
    max: null,
    direction: null,
    rule: null,
  }));
  return fields.sort((one, other) => other.runs - one.runs || (one.name < other.name ? -1 : 1));
}

function columnOf(name, field, hasBase) {
  const { kind, key } = fieldOf(name);
  const isMetric = kind === "metrics";
  const label = kind === "attributes" ? (LABELS[key] ?? key) : key;
  const isNumeric = kind === "params" && Boolean(field?.numeric);
  const width = WIDTHS[name] ?? Math.min(WIDEST, Math.max(NARROWEST, Math.ceil(label.length * CHARACTER) + AROUND));
  return {
    name,
    label,
    kind: KINDS[kind],
    align: isMetric || isNumeric || name === "duration" ? "number" : "text",
    direction: field?.direction ?? null,
    isMetric,
    isTime: TIMES.includes(name),
    isNumeric,
    width: width + (isMetric && hasBase ? OF_DELTA : 0),
  };
}

function isNumber(text) {
  return text.trim() !== "" && Number.isFinite(Number(text));
}
