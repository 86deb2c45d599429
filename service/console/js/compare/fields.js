// What an analysis says, as a list of fields: parameters, metrics and tags, in the order in which they are read. Pure.

/** The tags of the lineage, in its order; other tags come after them. */
const LINEAGE = [
  ...["strategy_id", "run_type", "git_commit", "dataset_version"],
  ...["feature_version", "model_version", "signal_version"],
];
const COLLATOR = new Intl.Collator("en", { numeric: true });

/** The parts of the comparison: their names in the address, and for people. */
export const KINDS = [
  ["params", "Parameters"],
  ["metrics", "Metrics"],
  ["tags", "Tags"],
];

/**
 * @typedef {{kind: string, name: string, key: string, differs: boolean, isSameNumber: boolean, isNumeric: boolean,
 *   of: object, valueOf: (id: string) => number | string | null | undefined}} Field
 *   of: what the API says of it. valueOf: undefined where a run lacks it, null where it is NaN or infinite.
 */

/** All fields of an analysis, by kind, in the API's order. @returns {Record<string, Field[]>} */
export function fieldsOf({ params, metrics, tags }) {
  return {
    params: Object.entries(params).map(([name, of]) =>
      field("params", name, of, {
        differs: of.varies && !of.same_number,
        isSameNumber: of.same_number,
        isNumeric: of.numeric,
        valueOf: (id) => of.values[id] ?? undefined,
      }),
    ),
    metrics: Object.entries(metrics).map(([name, of]) => {
      const notFinite = new Set(of.not_finite_run_ids);
      const isEqual = !of.spread.missing && of.spread.min === of.spread.max;
      const isEmpty = !of.spread.n && (!notFinite.size || notFinite.size === of.spread.missing);
      return field("metrics", name, of, {
        differs: !isEqual && !isEmpty,
        isNumeric: true,
        valueOf: (id) => of.values[id] ?? (notFinite.has(id) ? null : undefined),
      });
    }),
    tags: Object.entries(tags)
      .map(([name, values]) => field("tags", name, { values }, { differs: true, valueOf: (id) => values[id] ?? undefined }))
      .sort((a, b) => rankOf(a.name) - rankOf(b.name) || COLLATOR.compare(a.name, b.name)),
  };
}

/**
 * The fields of one kind that are shown: those that differ, sorted, and those that are equal in all runs.
 * @param {Field[]} fields @param {{find: string, sort: string}} choice find: a part of the name, in any case
 * @returns {{differing: Field[], equal: Field[]}}
 */
export function shownOf(fields, { find, sort }) {
  const part = find.trim().toLowerCase();
  const found = part ? fields.filter(({ name }) => name.toLowerCase().includes(part)) : fields;
  const sorted = sortedBy(sort, found);
  return { differing: sorted.filter((one) => one.differs), equal: sorted.filter((one) => !one.differs) };
}

/**
 * regression: what is worst against the baseline comes first; spread: what differs most between the runs. Both count
 * as a share of the larger magnitude, so that metrics of any size can be put in one order. Ties keep their order.
 * @param {"order" | "name" | "spread" | "regression"} sort @param {Field[]} fields
 */
export function sortedBy(sort, fields) {
  if (sort === "name") return [...fields].sort((a, b) => COLLATOR.compare(a.name, b.name));
  const size = { spread: spreadOf, regression: regressionOf }[sort];
  if (!size) return fields;
  const sizes = new Map(fields.map((one) => [one, one.kind === "metrics" ? size(one.of) : 0]));
  return [...fields].sort((a, b) => sizes.get(b) - sizes.get(a));
}

/** How far the finite values lie apart: 0 to 2. @param {object} metric of the API */
export function spreadOf({ spread: { min, max } }) {
  return min === null ? -1 : share(max, min);
}

/** How much worse than the baseline the worst run is: 0 to 2, 0 where none is worse. @param {object} metric */
export function regressionOf({ deltas, values }) {
  let worst = 0;
  for (const [id, { better, absolute }] of Object.entries(deltas)) {
    if (better !== false) continue;
    const value = values[id];
    worst = Math.max(worst, absolute === null ? 2 : share(value, value - absolute));
  }
  return worst;
}

/** Of a field that has been chosen, for a list to choose from: "metrics.oos_sharpe". */
export function keyOf(kind, name) {
  return `${kind}.${name}`;
}

function share(a, b) {
  const size = Math.max(Math.abs(a), Math.abs(b));
  return size === 0 ? 0 : Math.abs(a / size - b / size);
}

function field(kind, name, of, more) {
  return { kind, name, key: keyOf(kind, name), of, isSameNumber: false, isNumeric: false, ...more };
}

function rankOf(name) {
  const place = LINEAGE.indexOf(name);
  return place < 0 ? LINEAGE.length : place;
}
