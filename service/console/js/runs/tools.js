// The line above the table: how many runs there are, what has come since, and what can be done with the table.
import { useEffect, useState } from "preact/hooks";
import { count, percent } from "../format.js";
import { html } from "../html.js";
import { sortInWords } from "./sorting.js";
import { MOST } from "./selection.js";

/** @param {{rows: object, state: object, columns: Array<object>, actions: object}} props */
export function Tools({ rows, state, columns, actions }) {
  const [first, setFirst] = useState(10);
  const selectFirst = (event) => {
    event.preventDefault();
    actions.selectFirst(first);
  };
  return html`<div class="runs-tools">
    <p class="runs-count"><${Count} rows=${rows} /></p>
    <${News} rows=${rows} actions=${actions} />
    <span class="runs-buttons">
      <form onSubmit=${selectFirst}>
        <button>Select the first</button>${" "}
        <input type="number" min="1" max=${MOST} value=${first} aria-label="Number of runs" onInput=${(event) => setFirst(Number(event.target.value))} />
      </form>
      <button type="button" onClick=${() => (actions.choosing.value = true)}>Columns</button>
      <button type="button" onClick=${() => (actions.copying.value = true)}>Copy</button>
    </span>
    <${Said} rows=${rows} sort=${state.sort} columns=${columns} />
  </div>`;
}

function Count({ rows }) {
  const [total, index] = [rows.total.value, rows.index.value];
  if (rows.revision.value === 0) return "\u00a0";
  if (total === null) return `${count(rows.loaded.value)} runs or more`;
  const whole = index?.runs > total ? ` of ${count(index.runs)}` : "";
  const read = index?.complete === false ? ` (${percent(Math.floor(index.share_read * 100) / 100)} of the runs have been read)` : "";
  return html`<strong>${count(total)}</strong>${whole} ${total === 1 && !whole ? "run" : "runs"}${read}`;
}

/** Runs that have come since. They are shown when the reader says so, for nothing moves under the pointer. */
function News({ rows, actions }) {
  const number = rows.news.value;
  if (number <= 0 && !rows.isOutdated.value) return null;
  const text = number > 0 ? `${count(number)} new ${number === 1 ? "run" : "runs"} ↑` : "The runs have changed: show them";
  const show = () => {
    actions.toTop();
    rows.reload();
  };
  return html`<button type="button" class="runs-news" onClick=${show}>${text}</button>`;
}

/** What a screen reader says when other rows are shown. */
function Said({ rows, sort, columns }) {
  const [text, setText] = useState("");
  const [total, revision] = [rows.total.value, rows.begun.value];
  useEffect(() => {
    if (!revision) return;
    const labels = new Map(columns.map((column) => [column.name, column.label]));
    const runs = total === null ? "" : `, ${count(total)} ${total === 1 ? "run" : "runs"}`;
    setText(sortInWords(sort, (name) => labels.get(name) ?? name) + runs);
  }, [revision, total, sort.join()]);
  return html`<p class="visually-hidden" role="status">${text}</p>`;
}
