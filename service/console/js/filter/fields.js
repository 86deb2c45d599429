// Fields of runs, as filters write them (docs/reference/filters.md). Pure.

/** Attributes, by what their values are. */
export const ATTRIBUTES = {
  run_id: "text",
  run_name: "text",
  status: "text",
  user_id: "text",
  artifact_uri: "text",
  experiment_id: "text",
  start_time: "time",
  end_time: "time",
  duration: "number",
};
/** The values of `status`. */
export const STATUSES = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];
/** A kind of field, as people call one of it. */
export const KINDS = { metrics: "metric", params: "parameter", tags: "tag", attributes: "attribute" };

const KIND_WORDS = {
  metric: "metrics",
  metrics: "metrics",
  param: "params",
  params: "params",
  parameter: "params",
  parameters: "params",
  tag: "tags",
  tags: "tags",
  attr: "attributes",
  attribute: "attributes",
  attributes: "attributes",
  run: "attributes",
};
const BARE_KEY = /^[A-Za-z_][\w./-]*$/;

/**
 * A field: {kind, key, type, written, known}. type: number, time or text. known: what the service says of it
 * (an entry of GET /runs/fields), or null.
 */
export function fieldOf(kind, key, known = null) {
  const type = kind === "metrics" ? "number" : kind === "attributes" ? ATTRIBUTES[key] : "text";
  return { kind, key, type, written: writtenOf(kind, key), known };
}

/** The fields that the service lists, and the attributes. @param {Array<object> | null} listed null: not known */
export function allFields(listed) {
  const known = (listed ?? []).map((one) => {
    const [kind, key] = one.kind === "attributes" ? ["attributes", one.name] : [one.kind, one.name.slice(one.kind.length + 1)];
    return fieldOf(kind, key, one);
  });
  const names = new Set(known.filter(({ kind }) => kind === "attributes").map(({ key }) => key));
  const rest = Object.keys(ATTRIBUTES).filter((key) => !names.has(key));
  return [...known, ...rest.map((key) => fieldOf("attributes", key))];
}

/** The field that a word of a filter names by its kind or as an attribute; null where it names none. */
export function namedField(written) {
  const dot = written.indexOf(".");
  if (dot < 0) return attributeOf(unquoted(written));
  const kind = KIND_WORDS[unquoted(written.slice(0, dot))];
  const key = unquoted(written.slice(dot + 1));
  if (!kind || !key) return null;
  return kind === "attributes" ? attributeOf(key) : fieldOf(kind, key);
}

/** A text as a value of a filter. */
export function quoted(text) {
  return `'${text.replaceAll("'", "''")}'`;
}

/** What stands in quotes of whichever sort, closed or not; a text without quotes as it is. */
export function unquoted(written) {
  const quote = written[0];
  if (quote !== "'" && quote !== '"' && quote !== "`") return written;
  const isClosed = written.length > 1 && written.endsWith(quote);
  return written.slice(1, isClosed ? -1 : undefined).replaceAll(quote + quote, quote);
}

function writtenOf(kind, key) {
  if (kind === "attributes") return key;
  if (BARE_KEY.test(key)) return `${kind}.${key}`;
  const quote = key.includes("`") ? '"' : "`";
  return `${kind}.${quote}${key.replaceAll(quote, quote + quote)}${quote}`;
}

function attributeOf(written) {
  const key = written.toLowerCase().replaceAll(" ", "_");
  const name = key === "created" ? "start_time" : key;
  return Object.hasOwn(ATTRIBUTES, name) ? fieldOf("attributes", name) : null;
}
