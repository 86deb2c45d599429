// When to ask again. Pure.

/**
 * Times in ms. silence: after which a stream that has brought nothing is held back by something between.
 * quiet: after which one that has brought something is dead; the server says something every 5 s.
 * poll: between two polls that brought something. idle: the most between two that brought nothing; a poll has some
 * 800 bytes with its headers. longest: between any two tries after a failure. first: before the second try.
 */
export const LIMITS = { silence: 10_000, quiet: 16_000, poll: 5_000, idle: 180_000, longest: 60_000, first: 1_000 };

/**
 * How long to wait after some failures: doubled each time, and drawn, so that not all pages come at once.
 * @param {number} failures one after the other, 1 or more
 * @param {{limits: object, retryAfter?: number | null, draw: () => number}} options
 *   retryAfter: seconds that the service asks to wait at least. draw: a number from 0 to 1
 */
export function waitAfter(failures, { limits, retryAfter = null, draw }) {
  const most = Math.min(limits.longest, limits.first * 2 ** Math.min(failures - 1, 30));
  return Math.max(most * (0.5 + draw() / 2), (retryAfter ?? 0) * 1000 * (1 + draw() / 5));
}

/** How long to wait before the next poll, after some polls one after the other that brought nothing. */
export function pollAfter(empty, { limits, draw }) {
  return Math.min(limits.idle, limits.poll * 2 ** Math.min(empty, 30)) * (0.9 + draw() / 5);
}
