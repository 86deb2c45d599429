// Numbers, times and what is missing, as the console writes them. Pure.

export const MINUS = "\u2212";
/** What a run has not logged. */
export const MISSING = "\u2013";
/** What a run has logged and is not a finite number; the API has no other word for it. */
export const NOT_A_NUMBER = "NaN";

const SIGNIFICANT = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 4, useGrouping: true });
const SCIENTIFIC = new Intl.NumberFormat("en-US", { notation: "scientific", maximumSignificantDigits: 4 });
const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * A number in four significant digits.
 * @param {number | null | undefined} value undefined: not logged. null: not a finite number.
 */
export function number(value) {
  if (value === undefined) return MISSING;
  if (value === null || Number.isNaN(value)) return NOT_A_NUMBER;
  if (!Number.isFinite(value)) return value > 0 ? "\u221e" : `${MINUS}\u221e`;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return SCIENTIFIC.format(value).replace(/-/g, MINUS);
  if (Number.isInteger(value)) return WHOLE.format(value).replace("-", MINUS);
  return SIGNIFICANT.format(value).replace("-", MINUS);
}

/** A difference, always with its sign. @param {number | null | undefined} value */
export function delta(value) {
  const text = number(value);
  return typeof value === "number" && value >= 0 && Number.isFinite(value) ? `+${text}` : text;
}

/** A share or a relative difference as percent. @param {number | null | undefined} value 0.1 is 10 % */
export function percent(value) {
  return typeof value === "number" && Number.isFinite(value) ? `${number(value * 100)}\u00a0%` : number(value);
}

/** A number of things. @param {number} value */
export function count(value) {
  return WHOLE.format(value);
}

/** A number as it is in full, for copies and for whoever points at it. @param {number | null | undefined} value */
export function exact(value) {
  if (value === undefined) return "";
  return value === null ? NOT_A_NUMBER : String(value);
}

/** A span of time. @param {number | null | undefined} ms */
export function duration(ms) {
  if (ms === null || ms === undefined) return MISSING;
  if (ms < SECOND) return `${Math.max(0, Math.round(ms))}\u00a0ms`;
  if (ms < MINUTE) return `${(ms / SECOND).toFixed(1)}\u00a0s`;
  const [days, hours] = [Math.floor(ms / DAY), Math.floor((ms % DAY) / HOUR)];
  const minutes = String(Math.floor((ms % HOUR) / MINUTE)).padStart(2, "0");
  if (days) return `${days}\u00a0d ${hours}\u00a0h`;
  if (hours) return `${hours}\u00a0h ${minutes}\u00a0min`;
  return `${Math.floor(ms / MINUTE)}\u00a0min ${String(Math.floor((ms % MINUTE) / SECOND)).padStart(2, "0")}\u00a0s`;
}

/** A time of the clock to the second. @param {number | null} ms since the epoch @param {boolean} [isUtc] */
export function time(ms, isUtc = false) {
  if (ms === null || ms === undefined) return MISSING;
  const at = new Date(isUtc ? ms : ms - new Date(ms).getTimezoneOffset() * MINUTE);
  return Number.isNaN(at.getTime()) ? MISSING : at.toISOString().slice(0, 19).replace("T", " ");
}

/** The zone that `time` writes in, at this time: "UTC", "UTC+2". */
export function zone(isUtc = false, ms = Date.now()) {
  const minutes = isUtc ? 0 : -new Date(ms).getTimezoneOffset();
  if (!minutes) return "UTC";
  const sign = minutes < 0 ? MINUS : "+";
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${sign}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
}

/** How long ago, for less than a day; "" for more. @param {number} ms since the epoch @param {number} now */
export function ago(ms, now) {
  const past = now - ms;
  if (past < 0 || past >= DAY) return "";
  if (past < MINUTE) return `${Math.floor(past / SECOND)} s ago`;
  return past < HOUR ? `${Math.floor(past / MINUTE)} min ago` : `${Math.floor(past / HOUR)} h ago`;
}

/** The first characters of a run id, by which people tell runs apart. @param {string} id */
export function shortId(id) {
  return id.slice(0, 8);
}
