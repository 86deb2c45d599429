// What the best run is held against, in the unit in which the metric is logged. Pure.

/**
 * The best run's value, what the best of noise is expected to reach, and what the DSR is against.
 * @param {object} report what `GET /strategies/{id}/selection` answers
 * @returns {{best: number | null, noise: number | null, benchmark: number | null, reason: string}}
 *   null where it cannot be had; reason: why the first of them cannot
 */
export function marksOf(report) {
  const { sharpe, expected_best_of_noise: noise, deflation_benchmark: benchmark } = report;
  const input = (name) => [...sharpe.inputs, ...noise.inputs].find((one) => one.name === name)?.value ?? null;
  const [value, unit] = [input("value"), sharpe.inputs.find((one) => one.name === "value")?.unit];
  const year = Math.sqrt(input("periods_per_year") ?? NaN);
  const isAnnual = unit === "annual";
  return {
    best: value,
    noise: finite(isAnnual || noise.value === null ? noise.value : noise.value / year),
    benchmark: finite(isAnnual && benchmark.value !== null ? benchmark.value * year : benchmark.value),
    reason: (sharpe.reason ?? noise.reason ?? benchmark.reason)?.text ?? "",
  };
}

const finite = (value) => (Number.isFinite(value) ? value : null);
