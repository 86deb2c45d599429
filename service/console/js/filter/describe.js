// Fields in words. Pure.
import { count, number } from "../format.js";
import { KINDS } from "./fields.js";

/** What is known of a field, in one line. */
export function describe({ kind, key, type, known }) {
  const parts = [KINDS[kind]];
  if (known) {
    parts.push(`${count(known.runs)} ${known.runs === 1 ? "run" : "runs"}`);
    if (known.distinct > 1) parts.push(`${count(known.distinct)} values`);
    if (typeof known.min === "number" && type !== "time" && key !== "duration") {
      parts.push(known.min === known.max ? number(known.min) : `${number(known.min)} … ${number(known.max)}`);
    }
  }
  return parts.join(" · ");
}
