// What a reader may have pasted, as a reference that the API knows. Pure.

const PREFIXED = /^(git|dataset|feature|signal|model):./i;
const ADDRESS = /^([a-z][a-z0-9+.-]*:\/|\/|\.\.?\/)/i;
const RUN = /^[0-9a-f]{32}$/i;
const COMMIT = /^[0-9a-f]{7,40}$/i;
const LOGGED_MODEL = /^m-[0-9a-f]{32}$/i;
const VERSION = /^[^/@]+\/(\d+|latest)$/;
const ALIAS = /^[^/@\s]+@[\w-]+$/;
const PLAIN = ["dataset", "feature", "model", "signal", "git"];

/**
 * A text as a reference. It is guessed where the text does not say what it is.
 * @param {string} text
 * @returns {{ref: string, guess: string, others: string[]}}
 *   guess: what the text was taken for, or "" where it says so itself. others: the other references it may be.
 */
export function refOf(text) {
  const typed = text.trim().replace(/^(["'`])(.*)\1$/, "$2").trim();
  const certain = { ref: typed, guess: "", others: [] };
  if (!typed || PREFIXED.test(typed) || ADDRESS.test(typed) || LOGGED_MODEL.test(typed)) return certain;
  if (RUN.test(typed)) return { ref: typed, guess: "the id of a run", others: others(typed, "") };
  if (COMMIT.test(typed)) return { ref: `git:${typed}`, guess: "a commit", others: [...others(typed, "git"), typed] };
  if (VERSION.test(typed)) return { ref: `models:/${typed}`, guess: "a version of a registered model", others: [typed, ...others(typed, "")] };
  if (ALIAS.test(typed)) return { ref: `models:/${typed}`, guess: "an alias of a registered model", others: others(typed, "") };
  if (typed.includes("/")) return certain;
  return { ref: `dataset:${typed}`, guess: "the version or the digest of a dataset", others: [...others(typed, "dataset"), typed] };
}

function others(typed, taken) {
  return PLAIN.filter((prefix) => prefix !== taken).map((prefix) => `${prefix}:${typed}`);
}

/** The address of a reference's lineage. @param {string} ref @param {string[]} [exp] ids of experiments */
export function lineageHref(ref, exp = []) {
  const experiments = exp.length ? `&exp=${exp.map(encodeURIComponent).join(",")}` : "";
  return `lineage?ref=${encodeURIComponent(ref)}${experiments}`;
}

/** The reference of a node of a lineage's graph. @param {{id: string, kind: string, name: string, details: object}} node */
export function refOfNode({ id, name, details }) {
  const after = id.slice(id.indexOf(":") + 1);
  switch (id.slice(0, id.indexOf(":"))) {
    case "run":
      return after;
    case "code":
      return `git:${name}`;
    case "dataset_version":
      return `dataset:${name}`;
    case "dataset":
      return `dataset:${details.digest ?? after.slice(after.lastIndexOf("#") + 1)}`;
    case "feature_version":
      return `feature:${name}`;
    case "model_version":
      return `model:${name}`;
    case "signal_version":
      return `signal:${name}`;
    case "registered_model":
      return `models:/${after}`;
    case "logged_model":
      return `models:/${after}`;
    default:
      return name;
  }
}
