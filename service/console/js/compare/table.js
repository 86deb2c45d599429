// The table of a comparison: parameters, metrics and tags of runs side by side, or, transposed, a run a row.
import { useMemo } from "preact/hooks";
import { count, exact } from "../format.js";
import { html } from "../html.js";
import { deltaOf, directionOf, textOf } from "./cells.js";
import { KINDS, shownOf } from "./fields.js";
import { Grid } from "./grid.js";
import { RunHead } from "./head.js";

const SIZES = { params: 30, metrics: 46, tags: 30, section: 34, equal: 34 }; // px of rows
const WIDTHS = { params: 150, metrics: 210, tags: 160, equal: 205 }; // px of columns, transposed
const RUN = { width: 216, height: 62, head: 360 };
const FIELD_HEAD = 260;

/**
 * The rows in their order: what differs, and behind a button what is equal in all runs.
 * @param {Record<string, object[]>} fields by kind @param {{find, sort, diff, equal: string[]}} state of the address
 */
export function entriesOf(fields, state) {
  return KINDS.flatMap(([kind, title]) => {
    const { differing, equal } = shownOf(fields[kind], state);
    if (!fields[kind].length) return [];
    const isOpen = state.equal.includes(kind);
    const entries = [{ look: "section", key: kind, kind, title, differing: differing.length, equal: equal.length }];
    entries.push(...differing.map((field) => ({ look: field.kind, key: field.key, field })));
    if (state.diff || !equal.length) return entries;
    entries.push({ look: "equal", key: `${kind} equal`, kind, isOpen, count: equal.length });
    if (isOpen) entries.push(...equal.map((field) => ({ look: field.kind, key: field.key, field })));
    return entries;
  });
}

/**
 * @param {{entries: object[], runs: object[], state: object, act: Function, open: (kind: string) => void,
 *   front: Set<string>}} props
 *   open: show or fold the equal ones of a kind. front: ids of runs that no other beats.
 */
export function Table({ entries, runs, state, act, open }) {
  const baseline = runs[0].id;
  const isTransposed = state.rows === "runs";
  const [earlier, later] = isTransposed ? ["up", "down"] : ["left", "right"];
  const runHead = (run) => html`<${RunHead}
    run=${run}
    act=${act}
    earlier=${earlier}
    later=${later}
    isFirst=${run === runs[1]}
    isLast=${run === runs.at(-1)}
  />`;
  const [rows, columns] = useMemo(() => {
    if (!isTransposed) {
      return [
        entries.map((one) => ({ ...one, size: SIZES[one.look] })),
        runs.map((run) => ({ key: run.id, run, size: RUN.width })),
      ];
    }
    return [
      runs.map((run) => ({ key: run.id, look: "run", run, size: RUN.height })),
      entries.filter(({ look }) => look !== "section").map((one) => ({ ...one, size: WIDTHS[one.look] })),
    ];
  }, [entries, runs, isTransposed]);
  const label = `Comparison of ${count(runs.length)} runs`;
  if (isTransposed) {
    return html`<${Grid}
      ...${{ label, rows, columns, headWidth: RUN.head }}
      corner="Run"
      columnHead=${(one, at) => html`<th key=${one.key} scope="col" aria-colindex=${at} class=${`field ${one.look}`}>${headOf(one, open)}</th>`}
      row=${(one, cellsOf) => html`<th scope="row" data-run=${one.run.id}>${runHead(one.run)}</th>${cellsOf(one)}`}
      cell=${(one, { key, field }, at) => html`<${Cell} key=${key} field=${field} run=${one.run} baseline=${baseline} at=${at} />`}
    />`;
  }
  return html`<${Grid}
    ...${{ label, rows, columns, headWidth: FIELD_HEAD }}
    corner="Field"
    columnHead=${({ key, run }, at) => html`<th key=${key} scope="col" aria-colindex=${at} data-run=${run.id}>${runHead(run)}</th>`}
    row=${(one, cellsOf, span) =>
      one.field
        ? html`<th scope="row" class="field">${headOf(one, open)}</th>${cellsOf(one)}`
        : html`<th colspan=${span} scope="rowgroup"><div class="across">${headOf(one, open)}</div></th>`}
    cell=${({ field }, { key, run }, at) => html`<${Cell} key=${key} field=${field} run=${run} baseline=${baseline} at=${at} />`}
  />`;
}

function headOf(entry, open) {
  const { look, field } = entry;
  if (look === "section") {
    return html`<b>${entry.title}</b> <span class="muted">${count(entry.differing)} differ, ${count(entry.equal)} equal</span>`;
  }
  if (look === "equal") {
    const text = `${count(entry.count)} equal ${NOUNS[entry.kind]}${entry.count === 1 ? "" : "s"}`;
    return html`<button type="button" class="quiet" aria-expanded=${entry.isOpen} onClick=${() => open(entry.kind)}>
      ${entry.isOpen ? `Fold ${text}` : `Show ${text}`}
    </button>`;
  }
  return html`<${FieldHead} field=${field} />`;
}

const NOUNS = { params: "parameter", metrics: "metric", tags: "tag" };

function FieldHead({ field }) {
  const name = html`<bdi class="name" title=${field.name}>${field.name}</bdi>`;
  if (field.kind === "metrics") {
    const { text, rule } = directionOf(field.of);
    return html`${name}<span class="rule" title=${`${text} (${rule})`}>${text}, <span>${rule}</span></span>`;
  }
  return html`${name}${field.isSameNumber && html` <span class="muted">the same number, written differently</span>`}`;
}

function Cell({ field, run, baseline, at }) {
  if (!field) return html`<td aria-colindex=${at}></td>`;
  if (field.kind === "metrics") return html`<${MetricCell} ...${{ field, run, baseline, at }} />`;
  const value = field.valueOf(run.id);
  const isOther = field.differs && value !== field.valueOf(baseline);
  return html`<td aria-colindex=${at} class=${`${field.isNumeric ? "number " : ""}${isOther ? "other" : ""}`} data-run=${run.id}>
    <bdi class=${value === undefined ? "muted" : ""} title=${value}>${textOf(field, run.id)}</bdi>
  </td>`;
}

function MetricCell({ field, run, baseline, at }) {
  const { of } = field;
  const value = field.valueOf(run.id);
  const delta = deltaOf(of, run.id, baseline);
  const isBest = field.differs && of.spread.n > 1 && of.best_run_ids.includes(run.id);
  return html`<td aria-colindex=${at} class=${`number metric ${delta?.tone ?? ""}`} data-run=${run.id}>
    <div class="value" title=${value === undefined ? "not logged" : exact(value)}>
      ${isBest && html`<span class="best">best</span>`}${" "}${textOf(field, run.id)}
    </div>
    ${delta && html`<div class="delta"><span aria-hidden="true">${delta.arrow}</span> ${delta.text} ${delta.word && html`<b>${delta.word}</b>`}</div>`}
  </td>`;
}
