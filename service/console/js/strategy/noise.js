// What the best of so many trials of noise is expected to reach, and what the best of trials so far has reached. Pure.

const EULER = 0.5772156649015329;

/**
 * The expected maximum of so many independent standard normal variables, about: 0 of one
 * (Bailey and López de Prado 2014; the service's own formula, which is checked against this one).
 * @param {number} trials
 */
export function expectedMaximum(trials) {
  if (!(trials > 1)) return 0;
  const low = quantile(1 - 1 / trials);
  const high = quantile(1 - 1 / (trials * Math.E));
  return Math.max(0, (1 - EULER) * low + EULER * high);
}

/**
 * The expected best of noise after each trial, from that after all of them.
 * @param {number} value after all trials, as the service says it @param {number} all @param {number} trials
 */
export function noiseAfter(trials, value, all) {
  const whole = expectedMaximum(all);
  return whole > 0 ? (value * expectedMaximum(trials)) / whole : null;
}

/**
 * The best value so far, at each point where it became better.
 * @param {Array<{time: number, value: number | null}>} trials in time order @param {boolean} isHigher whether higher is better
 * @returns {Array<{time: number, value: number}>}
 */
export function bestSoFar(trials, isHigher) {
  const steps = [];
  for (const { time, value } of trials) {
    if (!Number.isFinite(value)) continue;
    const last = steps.at(-1);
    if (!last || (isHigher ? value > last.value : value < last.value)) steps.push({ time, value });
  }
  return steps;
}

/**
 * The quantile of the standard normal distribution: Acklam's approximation, within 1.2e-9 of it, relatively.
 * @param {number} p between 0 and 1
 */
export function quantile(p) {
  if (p <= 0 || p >= 1) return p <= 0 ? -Infinity : Infinity;
  if (p > 0.5) return -quantile(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return horner(C, q) / (horner(D, q) * q + 1);
  }
  const q = p - 0.5;
  const r = q * q;
  return (horner(A, r) * q) / (horner(B, r) * r + 1);
}

const horner = (coefficients, x) => coefficients.reduce((sum, one) => sum * x + one, 0);

const A = [
  -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
  2.506628277459239,
];
const B = [-5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1];
const C = [
  -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const D = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416];
