// The words for what a lineage's graph has. Pure.

export const RELATIONS = {
  used_by: "used by",
  made: "made",
  registered_as: "registered as",
  parent_of: "parent of",
  leads_to: "leads to",
};
export const EVIDENCE = {
  recorded: "MLflow has it on record",
  derived: "it follows from what is on record, and was checked",
  tag: "tags say so, and nobody has checked it",
};
export const OUTCOMES = {
  found: "found",
  missing: "there is none, or none that this service may read",
  no_run: "it is there, and records no run",
  elsewhere: "there is one of that id, and its artifacts are at another place",
  unsupported: "the tracking server has no such thing",
  forbidden: "the tracking server does not let this service read it",
};

/** What stands below a node's name. @param {import("./grouping.js").Drawn} drawn */
export function subtitleOf({ kind, type, nodes: [node], nodes }) {
  if (nodes.length > 1) return kind === "run" ? statusesOf(nodes) : "shown as one";
  const { details, id } = node;
  if (kind === "run") {
    const status = details.status === "FINISHED" ? "" : `, ${String(details.status).toLowerCase()}`;
    return `${id.slice("run:".length, "run:".length + 8)}${type === node.name ? "" : `, ${type}`}${status}`;
  }
  if (details.digest) return `recorded dataset, ${details.digest}`;
  if (id.startsWith("registered_model:")) return details.aliases ? `registered, @${details.aliases}` : "registered model";
  if (id.startsWith("logged_model:")) return "logged model";
  return { code: "commit", dataset: "dataset_version", features: "feature_version", model: "model_version", signal: "signal_version" }[kind];
}

function statusesOf(nodes) {
  const counts = {};
  for (const { details } of nodes) counts[details.status] = (counts[details.status] ?? 0) + 1;
  const others = Object.entries(counts).filter(([status]) => status !== "FINISHED");
  return ["runs", ...others.map(([status, n]) => `${n} ${String(status).toLowerCase()}`)].join(", ");
}
