// The nodes of a lineage's graph with runs that are alike as one, so that hundreds of runs can be read. Pure.

const FEWEST = 3; // runs that become one node
const MOST = 8; // nodes of one run type; where there are more, all runs of the type become one

/**
 * A node as it is drawn: of one node of the answer, or of several runs that are alike.
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
  const links = neighbours(nodes, edges);
  const keys = new Map();
  for (const node of nodes) keys.set(node.id, keyOf(node, links.get(node.id), asked));
  const sizes = tally(keys.values());
  const byType = tally(
    [...new Set(keys.values())].filter((key) => key.startsWith("alike ")).map((key) => key.split(" ")[1]),
  );
  const owner = new Map();
  for (const node of nodes) {
    const key = keys.get(node.id);
    const type = encodeURIComponent(typeOf(node));
    if (!key.startsWith("alike ")) owner.set(node.id, node.id);
    else if (byType.get(type) > MOST) owner.set(node.id, `runs ${type}`);
    else owner.set(node.id, sizes.get(key) >= FEWEST ? key : node.id);
  }
  return { nodes: drawnOf(nodes, owner, asked), lines: linesOf(edges, owner) };
}

/** The type of a run's node, "" for any other. */
export function typeOf(node) {
  return node.kind === "run" ? node.details.run_type || "run" : "";
}

function keyOf(node, links, asked) {
  if (node.kind !== "run" || asked.has(node.id)) return node.id;
  const status = node.details.status ?? "";
  return `alike ${encodeURIComponent(typeOf(node))} ${status} ${[...links].sort().join(" ")}`;
}

function neighbours(nodes, edges) {
  const links = new Map(nodes.map((node) => [node.id, new Set()]));
  for (const { source, target, relation, evidence } of edges) {
    links.get(source)?.add(`>${relation}>${evidence}>${target}`);
    links.get(target)?.add(`<${relation}<${evidence}<${source}`);
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
    if (one.nodes.length > 1) one.name = `${one.nodes.length} × ${one.type}`;
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
