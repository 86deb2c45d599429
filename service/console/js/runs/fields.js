// Fields of a run by their names, and how the API wants them written. Pure.

const KINDS = ["metrics", "params", "tags"];
const BARE = /^[A-Za-z_][\w./-]*$/;

/**
 * The kind and the key of a field. @param {string} name "metrics.oos_sharpe", "start_time"
 * @returns {{kind: "metrics" | "params" | "tags" | "attributes", key: string}}
 */
export function fieldOf(name) {
  const dot = name.indexOf(".");
  const kind = name.slice(0, dot);
  if (KINDS.includes(kind)) return { kind, key: name.slice(dot + 1) };
  return { kind: "attributes", key: name };
}

/** A field as it is written in a filter, an order or a list of fields: with quotes where it needs them. */
export function written(name) {
  const { kind, key } = fieldOf(name);
  if (kind === "attributes") return key;
  if (BARE.test(key)) return `${kind}.${key}`;
  const quote = key.includes("`") ? '"' : "`";
  return `${kind}.${quote}${key.replaceAll(quote, quote + quote)}${quote}`;
}

/**
 * The order of a search. @param {string[]} sort as the view has it
 * @param {(name: string) => boolean} isNumeric whether a text field is to be read as a number
 */
export function orderOf(sort, isNumeric = () => false) {
  return sort
    .map((one) => {
      const isDescending = one.startsWith("-");
      const name = isDescending ? one.slice(1) : one;
      const field = isNumeric(name) ? `number(${written(name)})` : written(name);
      return `${field} ${isDescending ? "desc" : "asc"}`;
    })
    .join(",");
}

/**
 * The value of a field of a run, as a search has runs: undefined where the run lacks it, null for a number
 * that is not finite.
 */
export function valueOf(run, name) {
  const { kind, key } = fieldOf(name);
  if (kind !== "attributes") return Object.hasOwn(run[kind] ?? {}, key) ? run[kind][key] : undefined;
  if (name === "duration") return durationOf(run);
  return run[name] ?? undefined;
}

function durationOf({ start_time: start, end_time: end }) {
  return typeof start === "number" && typeof end === "number" ? end - start : undefined;
}
