// The nodes of a lineage's graph with those that are alike as one, so that hundreds of them can be read. Pure.

const FEWEST = 3; // runs that become one node
const MOST = 8; // nodes of one sort or run type; where there are more, all of them become one
const SORTS = {
  code: "commit",
  dataset: "recorded dataset",
  dataset_version: "dataset",
  feature_version: "features",
  model_version: "model",
  signal_version: "signal",
  logged_model: "logged model",
  registered_model: "registered model",
};

/**
 * A node as it is drawn: of one node of the answer, or of several that are alike.
 * @typedef {{
 *   id: string, kind: string, type: string, name: string, nodes: object[], isAsked: boolean,
 * }} Drawn
 *   kind: as the API's, a run's type in `type`. nodes: of the answer. isAsked: what was asked for is among them.
 * @typedef {{source: string, target: string, relation: string, evidence: string, by: string[], count: number}} Line
 */

/**
 * @param {object[]} nodes @param {object[]} edges as `GET /lineage` answers them
 * @param {Set<string>} asked ids of nodes that stay on their own: the runs that made what was asked for
 * @returns {{nodes: Drawn[], lines: Line[]}}
 */
export function grouped(nodes, edges, asked) {
  const owner = new Map();
  const sizes = tally(nodes.filter((node) => node.kind !== "run").map(sortOf));
  for (const node of nodes) {
    const isOneOfMany = node.kind !== "run" && sizes.get(sortOf(node)) > MOST;
    owner.set(node.id, isOneOfMany ? `all ${sortOf(node)}` : node.id);
  }
  groupRuns(nodes, edges, asked, owner);
  return { nodes: drawnOf(nodes, owner, asked), lines: linesOf(edges, owner) };
}

// Runs are alike where they have the same type, status and neighbours, as these are drawn.
function groupRuns(nodes, edges, asked, owner) {
  const runs = nodes.filter((node) => node.kind === "run" && !asked.has(node.id));
  const links = neighbours(nodes, edges, owner);
  const keyOf = (run) => JSON.stringify(["alike", typeOf(run), run.details.status ?? "", [...links.get(run.id)].sort()]);
  const keys = new Map(runs.map((run) => [run.id, keyOf(run)]));
  const sizes = tally(keys.values());
  const nodesOf = tally([...sizes].flatMap(([key, n]) => Array(n < FEWEST ? n : 1).fill(JSON.parse(key)[1])));
  for (const run of runs) {
    const key = keys.get(run.id);
    if (nodesOf.get(typeOf(run)) > MOST) owner.set(run.id, `all runs ${typeOf(run)}`);
    else if (sizes.get(key) >= FEWEST) owner.set(run.id, key);
  }
}

/** What a node that is no run is one of: "code", "dataset_version", "logged_model". */
export function sortOf(node) {
  return node.id.slice(0, node.id.indexOf(":"));
}

/** The type of a run's node, "" for any other. */
export function typeOf(node) {
  return node.kind === "run" ? node.details.run_type || "run" : "";
}

function neighbours(nodes, edges, owner) {
  const links = new Map(nodes.map((node) => [node.id, new Set()]));
  for (const { source, target, relation, evidence } of edges) {
    links.get(source)?.add(`>${relation}>${evidence}>${owner.get(target)}`);
    links.get(target)?.add(`<${relation}<${evidence}<${owner.get(source)}`);
  }
  return links;
}

function tally(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function drawnOf(nodes, owner, asked) {
  const drawn = new Map();
  for (const node of nodes) {
    const id = owner.get(node.id);
    const one = drawn.get(id) ?? { id, kind: node.kind, type: typeOf(node), name: node.name, nodes: [], isAsked: false };
    one.nodes.push(node);
    one.isAsked ||= asked.has(node.id);
    drawn.set(id, one);
  }
  for (const one of drawn.values()) {
    if (one.nodes.length > 1) one.name = `${one.nodes.length} × ${one.type || SORTS[sortOf(one.nodes[0])]}`;
  }
  return [...drawn.values()];
}

function linesOf(edges, owner) {
  const lines = new Map();
  for (const { source, target, relation, evidence, by } of edges) {
    const [from, to] = [owner.get(source), owner.get(target)];
    if (from === undefined || to === undefined || from === to) continue;
    const key = `${from} ${to} ${relation} ${evidence}`;
    const line = lines.get(key) ?? { source: from, target: to, relation, evidence, by: [], count: 0 };
    line.count += 1;
    if (!line.by.includes(by)) line.by.push(by);
    lines.set(key, line);
  }
  return [...lines.values()];
}
