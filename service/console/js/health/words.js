// What the service says of itself, in sentences, and as a text for whoever runs it. Pure.
import { count, time } from "../format.js";

const GOOD = "good";
const DOUBTFUL = "doubtful";
const BAD = "bad";

const SENTENCES = {
  status: {
    ready: [GOOD, "It takes requests."],
    draining: [DOUBTFUL, "It is about to stop, and takes no new requests soon."],
  },
  upstream: {
    ok: [GOOD, "It answered when it was last asked."],
    failing: [BAD, "It failed when it was last asked. What is remembered is shown in its place."],
    unknown: [DOUBTFUL, "It has not been asked yet."],
  },
  breaker: {
    closed: [GOOD, "Requests are sent to MLflow."],
    half_open: [DOUBTFUL, "One request is sent to MLflow, to see whether it has recovered."],
    open: [BAD, "MLflow is not asked for a while, since it failed again and again."],
  },
  experiment: {
    ok: [GOOD, "MLflow has it."],
    missing: [BAD, "MLflow has no experiment of the name that the service was given."],
    deleted: [BAD, "It has been deleted in MLflow."],
    forbidden: [BAD, "MLflow does not let the service read it."],
    unknown: [DOUBTFUL, "It has not been looked for yet."],
  },
  index: {
    complete: [GOOD, "Every run has been read."],
    reading: [DOUBTFUL, "The runs are still being read. Until then, searches that MLflow can do are handed to it."],
    failing: [BAD, "MLflow fails while the runs are read."],
    too_large: [BAD, "There are more runs than it may hold. Searches that MLflow can do are handed to it."],
    off: [DOUBTFUL, "It is switched off. Searches that MLflow can do are handed to it."],
  },
  store: {
    attached: [GOOD, "It answers: replicas share what they know over it."],
    detached: [DOUBTFUL, "It does not answer. This replica goes on alone meanwhile."],
    off: [GOOD, "There is none: this replica shares nothing with others."],
  },
};

const NAMES = {
  status: "Service",
  upstream: "MLflow",
  breaker: "Circuit breaker",
  experiment: "Default experiment",
  index: "Index",
  store: "Store of the replicas",
};

/**
 * Each part of the service, how it is, and what that means. A state that this page does not know is shown as it is.
 * @param {object} readiness the body of /readyz
 * @returns {Array<{name: string, state: string, level: "good" | "doubtful" | "bad", sentence: string}>}
 */
export function parts(readiness) {
  return Object.entries(NAMES)
    .filter(([part]) => part in readiness)
    .map(([part, name]) => {
      const state = readiness[part];
      const [level, sentence] = SENTENCES[part][state] ?? [DOUBTFUL, ""];
      return { name, state: state.replace("_", " "), level, sentence };
    });
}

/** All of them in one sentence. @param {ReturnType<typeof parts>} list */
export function summary(list) {
  const bad = list.filter((one) => one.level === BAD);
  if (bad.length) return `Not everything works: ${bad.map((one) => `${one.name} ${one.state}`).join(", ")}.`;
  const doubtful = list.filter((one) => one.level === DOUBTFUL);
  if (doubtful.length) return `It works, but: ${doubtful.map((one) => `${one.name} ${one.state}`).join(", ")}.`;
  return "Everything works.";
}

/**
 * What an operator needs to find these requests in the log of the service. It has no key and no data of runs.
 * @param {{address: string, version: string, now: number, readiness: object | null, index: object | null,
 *   error: {code: string, detail: string, requestId: string} | null, requests: Array<object>}} facts
 */
export function report({ address, version, now, readiness, index, error, requests }) {
  const lines = [`Experiment Tracking ${version} at ${address}, ${time(now, true)} UTC`];
  if (readiness) lines.push(`readyz: ${JSON.stringify(readiness)}`);
  if (index) lines.push(`index: ${JSON.stringify(index)}`);
  if (error) lines.push(`error: ${error.code}: ${error.detail} (request ${error.requestId || "without id"})`);
  lines.push("The last requests of the browser, newest first (UTC, status, ms, request id, address):");
  for (const one of requests) {
    const status = one.status || "no answer";
    const id = one.requestId || "-";
    lines.push([time(one.at, true), status, count(one.ms), id, `${one.method} ${one.path}`].join("  "));
  }
  return `${lines.join("\n")}\n`;
}
