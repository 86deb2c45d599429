// What the plots draw: which fields may be an axis, which are at first, and their values. Pure.

const SEED = /seed|random_?state/i; // it says nothing of a strategy
const FIRST_AXES = 4; // of a kind, in parallel coordinates
export const MOST_OF_FRONT = 4;

/** All fields that an axis may have, those that differ first. @param {Record<string, object[]>} fields by kind */
export function choices({ params, metrics }) {
  const all = [...params, ...metrics];
  return [...all.filter((one) => one.differs), ...all.filter((one) => !one.differs)];
}

/** A field over the runs, as a plot takes it. @param {object} field @param {object[]} runs */
export function measureOf(field, runs) {
  return {
    name: field.name,
    direction: field.kind === "metrics" ? field.of.direction : null,
    values: runs.map(({ id }) => field.valueOf(id)),
  };
}

/**
 * The two fields of the scatter: those that are asked for, or else the first parameter that differs and the first
 * metric that says which run is better. null where the runs have no such field.
 */
export function scatterFields(fields, across, up) {
  const all = choices(fields);
  const metrics = telling(fields.metrics);
  const y = byKey(all, up) ?? metrics.find(({ key }) => key !== across) ?? fields.metrics[0] ?? all[0] ?? null;
  const params = common(fields.params.filter((one) => one.differs));
  const numbers = params.filter((one) => one.isNumeric && !SEED.test(one.name));
  const x = byKey(all, across) ?? [...numbers, ...params, ...metrics, ...all].find((one) => one !== y);
  return { x: x ?? null, y };
}

/** The fields of parallel coordinates: those that are asked for, or else some of those that differ. */
export function parallelFields(fields, keys) {
  const all = choices(fields);
  const asked = keys.map((key) => byKey(all, key)).filter(Boolean);
  if (asked.length) return asked;
  const params = common(fields.params.filter((one) => one.differs && !SEED.test(one.name))).slice(0, FIRST_AXES);
  return [...params, ...telling(fields.metrics).slice(0, FIRST_AXES)];
}

/**
 * The metrics by which runs are said to beat others: those that are asked for, or else the metrics of the scatter, or
 * else the first two that say which run is better.
 */
export function frontNames(fields, asked, { x, y }) {
  const all = telling(fields.metrics, false);
  const known = asked.filter((name) => all.some((one) => one.name === name)).slice(0, MOST_OF_FRONT);
  if (known.length) return known;
  if (all.includes(x) && all.includes(y)) return [x.name, y.name];
  return telling(fields.metrics).slice(0, 2).map(({ name }) => name);
}

/** The metrics of which a value is better than another. @param {boolean} [differing] only those that differ */
export function telling(metrics, differing = true) {
  return common(metrics.filter((one) => one.of.direction !== "none" && (one.differs || !differing)));
}

// Those that most runs have come first.
function common(fields) {
  const lacking = new Map(fields.map((one) => [one, Object.values(one.of.values).filter((value) => value === null).length]));
  return [...fields].sort((a, b) => lacking.get(a) - lacking.get(b));
}

function byKey(fields, key) {
  return fields.find((one) => one.key === key);
}
