// Where the nodes of a lineage's graph lie: a layer for each kind, in the order of the data. Pure.

const LAYERS = ["source", "features", "training", "model", "signal", "test"];
const TITLES = {
  source: "Data and code",
  features: "Features",
  training: "Training",
  model: "Models",
  signal: "Signals",
  test: "Tests",
};
const TESTS = ["sweep", "walk_forward", "cpcv", "backtest"];
const KINDS = ["dataset", "code"];
export const [WIDTH, HEIGHT, GAP, BETWEEN, HEAD] = [172, 46, 12, 38, 26];
const LOOP = 24; // pixels beside a layer, for what joins two of its nodes

/**
 * The layers, in the order of the data, each with its nodes: by kind and type, then the oldest first.
 * @param {import("./grouping.js").Drawn[]} nodes
 * @param {Map<string, number>} times when runs started, by the ids of their nodes
 * @returns {Array<{name: string, title: string, nodes: object[]}>} those that have nodes
 */
export function layersOf(nodes, times) {
  const start = (node) => Math.min(...node.nodes.map((one) => times.get(one.id) ?? Infinity));
  const order = (one, other) => rank(one) - rank(other) || (start(one) < start(other) ? -1 : start(one) > start(other) ? 1 : 0);
  const rank = (node) => {
    const order = node.kind === "run" ? TESTS : KINDS;
    const at = order.indexOf(node.kind === "run" ? node.type : node.kind);
    return at < 0 ? order.length : at;
  };
  return LAYERS.map((name) => ({
    name,
    title: TITLES[name],
    nodes: nodes.filter((node) => layerOf(node) === name).sort(order),
  })).filter((layer) => layer.nodes.length > 0);
}

function layerOf({ kind, type }) {
  if (kind === "dataset" || kind === "code") return "source";
  if (kind !== "run") return kind;
  return TESTS.includes(type) ? "test" : "training";
}

/**
 * The graph in pixels.
 * @param {ReturnType<typeof layersOf>} layers @param {import("./grouping.js").Line[]} lines
 * @returns {{width: number, height: number, boxes: Array<{node: object, x: number, y: number}>,
 *   heads: Array<{title: string, x: number}>, paths: Array<{line: object, d: string}>}}
 */
export function laidOut(layers, lines) {
  const tallest = Math.max(1, ...layers.map((layer) => layer.nodes.length));
  const room = tallest * (HEIGHT + GAP) - GAP;
  const places = new Map();
  const boxes = [];
  layers.forEach(({ nodes }, column) => {
    const x = column * (WIDTH + BETWEEN);
    const used = nodes.length * (HEIGHT + GAP) - GAP;
    nodes.forEach((node, row) => {
      const y = HEAD + Math.round((room - used) / 2) + row * (HEIGHT + GAP);
      places.set(node.id, { x, y, column });
      boxes.push({ node, x, y });
    });
  });
  const loops = lines.some((line) => places.get(line.source)?.column === places.get(line.target)?.column);
  return {
    width: layers.length * (WIDTH + BETWEEN) - BETWEEN + (loops ? LOOP : 0),
    height: HEAD + room,
    boxes,
    heads: layers.map(({ title }, column) => ({ title, x: column * (WIDTH + BETWEEN) })),
    paths: lines
      .filter((line) => places.has(line.source) && places.has(line.target))
      .map((line) => ({ line, d: pathOf(places.get(line.source), places.get(line.target)) })),
  };
}

function pathOf(from, to) {
  const [y1, y2] = [from.y + HEIGHT / 2, to.y + HEIGHT / 2];
  if (from.column === to.column) {
    const x = from.x + WIDTH;
    return `M${x} ${y1}C${x + LOOP} ${y1} ${x + LOOP} ${y2} ${x} ${y2}`;
  }
  const isBack = to.column < from.column;
  const [x1, x2] = isBack ? [from.x, to.x + WIDTH] : [from.x + WIDTH, to.x];
  const bend = (x2 - x1) / 2;
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
