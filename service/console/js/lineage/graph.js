// The graph of a lineage: nodes as links in layers, with lines between them; and the same as a list.
import { useMemo, useState } from "preact/hooks";
import { useWidth } from "../chart/plot.js";
import { count } from "../format.js";
import { html } from "../html.js";
import { quoted, runHref, runsHref } from "../strategy/view.js";
import { grouped } from "./grouping.js";
import { lineageHref, refOfNode } from "./guess.js";
import { HEIGHT, WIDTH, laidOut, layersOf } from "./layout.js";
import { EVIDENCE, RELATIONS, subtitleOf } from "./words.js";

const NARROW = 700; // pixels, below which the list is shown
const MOST_IDS = 100; // that fit into a filter

/** @param {{lineage: object, exp: string[]}} props lineage: what `GET /lineage` answers */
export function Graph({ lineage, exp }) {
  const [box, width] = useWidth();
  const [choice, setChoice] = useState(null);
  const { layers, lines } = useMemo(() => pictured(lineage), [lineage]);
  const isList = choice ?? width < NARROW;
  const runs = lineage.nodes.filter((node) => node.kind === "run").length;
  const doubted = new Set(
    lineage.contradictions.filter((one) => one.kind === "dataset_digest").flatMap((one) => one.variants.map(({ value }) => value)),
  );
  return html`<section class="part" aria-labelledby="graph" ref=${box}>
    <h2 id="graph">From data to backtest</h2>
    <p class="muted">
      ${count(lineage.nodes.length)} nodes (${count(runs)} runs) and ${count(lineage.edges.length)} edges; runs that are alike stand
      together.${" "}
      <button type="button" class="quiet" onClick=${() => setChoice(!isList)}>${isList ? "Show as graph" : "Show as list"}</button>
    </p>
    ${width > 0 && (isList ? html`<${List} layers=${layers} lines=${lines} exp=${exp} />` : html`<${Picture} layers=${layers} lines=${lines} doubted=${doubted} exp=${exp} />`)}
  </section>`;
}

function pictured({ nodes, edges, runs, session }) {
  const few = runs.length <= 3 ? runs : [];
  const members = session.run_types.flatMap((type) => type.runs);
  const times = new Map([...members, ...runs].map((run) => [`run:${run.run_id}`, run.start_time ?? Infinity]));
  const drawn = grouped(nodes, edges, new Set(few.map((run) => `run:${run.run_id}`)));
  return { layers: layersOf(drawn.nodes, times), lines: drawn.lines };
}

function Picture({ layers, lines, doubted, exp }) {
  const [active, setActive] = useState(null);
  const [opened, setOpened] = useState(null);
  const { width, height, boxes, heads, paths } = useMemo(() => laidOut(layers, lines), [layers, lines]);
  const touches = (line) => line.source === active || line.target === active;
  const near = new Set(lines.filter(touches).flatMap((line) => [line.source, line.target]));
  const names = new Map(boxes.map(({ node }) => [node.id, node.name]));
  return html`
    <div class="graph-scroll" tabindex="0" role="group" aria-label="Graph of the lineage">
      <div class="graph" style=${{ width: `${width}px`, height: `${height}px` }} data-active=${active !== null} onMouseLeave=${() => setActive(null)}>
        <svg width=${width} height=${height} aria-hidden="true">
          ${paths.map(({ line, d }) => html`<path class=${touches(line) ? "edge on" : "edge"} data-evidence=${line.evidence} d=${d} />`)}
        </svg>
        ${heads.map(({ title, x }) => html`<span class="graph-head" style=${{ left: `${x}px`, width: `${WIDTH}px` }}>${title}</span>`)}
        ${boxes.map(
          ({ node, x, y }) => html`<${Box}
            node=${node}
            href=${hrefOf(node, exp)}
            isDoubted=${doubted.has(node.nodes[0].details.digest)}
            isNear=${near.has(node.id)}
            place=${{ left: `${x}px`, top: `${y}px`, width: `${WIDTH}px`, height: `${HEIGHT}px` }}
            point=${setActive}
            open=${() => setOpened(opened === node ? null : node)}
          />`,
        )}
      </div>
    </div>
    <p class="graph-said" aria-live="polite">
      ${active === null
        ? html`<span class="muted">Point at a node to see what it is joined to, and how that is known.</span>`
        : html`<${Said} lines=${lines.filter(touches)} active=${active} names=${names} />`}
    </p>
    ${opened && html`<p><strong>${opened.name}</strong>: <${Members} node=${opened} exp=${exp} /></p>`}
    <p class="legend">
      ${Object.entries(EVIDENCE).map(([evidence, text]) => html`<span class="key-edge" data-evidence=${evidence}>${evidence}: ${text}</span>`)}
    </p>
  `;
}

// A node: a link to what it is of, or a button that names what is in it.
function Box({ node, href, isDoubted, isNear, place, point, open }) {
  const props = {
    class: "node",
    "data-kind": node.kind,
    "data-asked": node.isAsked,
    "data-doubted": isDoubted,
    "data-near": isNear,
    style: place,
    title: node.name,
    onMouseEnter: () => point(node.id),
    onFocus: () => point(node.id),
    onBlur: () => point(null),
  };
  const text = html`
    <bdi class="node-name">${node.name}</bdi>
    <span class="node-more">${isDoubted && "⚠ "}${subtitleOf(node)}</span>
  `;
  return href ? html`<a href=${href} ...${props}>${text}</a>` : html`<button type="button" onClick=${open} ...${props}>${text}</button>`;
}

function Members({ node, exp }) {
  return node.nodes.map((one, index) => {
    const href = hrefOf({ ...node, nodes: [one] }, exp);
    const name = one.kind === "run" ? one.id.slice("run:".length, "run:".length + 8) : one.name;
    return html`${index > 0 && ", "}<a href=${href}><bdi>${name}</bdi></a>`;
  });
}

function Said({ lines, active, names }) {
  const parts = lines.map((line) => {
    const from = line.source === active ? "" : names.get(line.source);
    const to = line.target === active ? "" : names.get(line.target);
    return `${from} ${RELATIONS[line.relation] ?? line.relation} ${to} (${line.evidence})`.trim();
  });
  return html`<strong><bdi>${names.get(active)}</bdi></strong>: ${parts.map((part, index) => html`${index > 0 && "; "}<bdi>${part}</bdi>`)}`;
}

/** The graph as a list: each layer, its nodes, and what each leads to. */
function List({ layers, lines, exp }) {
  const nodes = new Map(layers.flatMap((layer) => layer.nodes.map((node) => [node.id, node])));
  return html`<ul class="lineage-list">
    ${layers.map(
      ({ title, nodes: inLayer }) => html`<li>
        <strong>${title}</strong>
        <ul>
          ${inLayer.map(
            (node) => html`<li>
              <${Linked} node=${node} exp=${exp} />${node.isAsked && " (asked for)"}
              ${node.nodes.length > 1 && html`<details><summary>Which</summary><${Members} node=${node} exp=${exp} /></details>`}
              <${Leading} lines=${lines.filter((line) => line.source === node.id && nodes.has(line.target))} nodes=${nodes} exp=${exp} />
            </li>`,
          )}
        </ul>
      </li>`,
    )}
  </ul>`;
}

// What a node leads to, on one line for all that it is related to in one way, by the same evidence.
function Leading({ lines, nodes, exp }) {
  const ways = new Map();
  for (const line of lines) {
    const way = `${RELATIONS[line.relation] ?? line.relation} (${line.evidence}, ${line.by.join(", ")})`;
    ways.set(way, [...(ways.get(way) ?? []), nodes.get(line.target)]);
  }
  return html`<ul>
    ${[...ways].map(
      ([way, targets]) => html`<li>
        <span class="muted">${way}: </span>
        ${targets.map((node, index) => html`${index > 0 && ", "}<${Linked} node=${node} exp=${exp} />`)}
      </li>`,
    )}
  </ul>`;
}

function Linked({ node, exp }) {
  const href = hrefOf(node, exp);
  return html`${href ? html`<a href=${href}><bdi>${node.name}</bdi></a>` : html`<bdi>${node.name}</bdi>`}${" "}<span class="muted">${subtitleOf(node)}</span>`;
}

/** Where a node leads: a run to its page, runs to their list, anything else to its own lineage; "" for too many. */
export function hrefOf({ kind, nodes }, exp) {
  if (kind !== "run") return nodes.length === 1 ? lineageHref(refOfNode(nodes[0]), exp) : "";
  const ids = nodes.map((node) => node.id.slice("run:".length));
  if (ids.length === 1) return runHref(ids[0]);
  return ids.length <= MOST_IDS ? runsHref(`run_id IN (${ids.map(quoted).join(", ")})`, exp) : "";
}
