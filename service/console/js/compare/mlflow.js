// MLflow's own page for a comparison. Pure.

/**
 * Its address; "" where MLflow's address or a run's experiment is not known.
 * @param {string} base where browsers find MLflow, or "" @param {Array<{id: string, experimentId: string}>} runs
 */
export function comparisonInMlflow(base, runs) {
  if (!base || runs.some((run) => !run.experimentId)) return "";
  const experiments = [...new Set(runs.map((run) => run.experimentId))];
  const written = (list) => encodeURIComponent(JSON.stringify(list));
  return `${base.replace(/\/+$/, "")}/#/compare-runs?runs=${written(runs.map(({ id }) => id))}&experiments=${written(experiments)}`;
}
