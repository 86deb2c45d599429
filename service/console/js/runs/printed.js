// The runs on paper: a table of all that have been read, and above it which runs they are, of when and from where.
import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { filterOf } from "../filter/choices.js";
import { count, shortId, time, zone } from "../format.js";
import { html } from "../html.js";
import { preferences } from "../preferences.js";
import { textOf } from "./cells.js";
import { sortInWords } from "./sorting.js";

const MOST = 1000; // runs: some thirty sheets

/**
 * It is in the document only while it is printed, for the table of the screen has but the rows that are seen.
 * @param {{rows: object, columns: Array<object>, state: object}} props state: of the view
 */
export function Printed(props) {
  const place = useRef(null);
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    const { current } = place;
    const put = () => render(html`<${Paper} ...${latest.current} />`, current);
    const remove = () => render(null, current);
    addEventListener("beforeprint", put);
    addEventListener("afterprint", remove);
    return () => {
      removeEventListener("beforeprint", put);
      removeEventListener("afterprint", remove);
    };
  }, []);
  return html`<div ref=${place} class="runs-paper"></div>`;
}

function Paper({ rows, columns, state }) {
  const read = [];
  for (let row = rows.at(0); row && read.length < MOST; row = rows.at(read.length)) read.push(row);
  const meta = rows.meta.value;
  const { isUtc } = preferences.value;
  const at = meta ? meta.receivedAt - meta.age * 1000 : null;
  const filter = filterOf(state);
  const labels = new Map(columns.map((column) => [column.name, column.label]));
  return html`
    <p><strong>Runs</strong></p>
    ${filter && html`<p>Filter: <code>${filter}</code></p>`}
    <p>
      ${inWords(read.length, rows.total.value)}, ${sortInWords(state.sort, (name) => labels.get(name) ?? name)}.
      ${" "}Data of ${time(at, isUtc)} ${zone(isUtc)}.
    </p>
    <p>${location.href}</p>
    <table>
      <thead><tr>${columns.map((column) => html`<th class=${classOf(column)}><bdi>${column.label}</bdi></th>`)}</tr></thead>
      <tbody>
        ${read.map(
          ({ id, values }) => html`<tr>
            ${columns.map(
              (column) => html`<td class=${classOf(column)}>
                <bdi>${textOf(column, values[column.name])}</bdi>${column.name === "run_name" && html` <code>${shortId(id)}</code>`}
              </td>`,
            )}
          </tr>`,
        )}
      </tbody>
    </table>
  `;
}

/** How many of the runs are on paper. Pure. @param {number} shown @param {number | null} total of those that match */
export function inWords(shown, total) {
  if (shown === total) return `${count(shown)} ${shown === 1 ? "run" : "runs"}`;
  return total === null ? `The first ${count(shown)} runs` : `The first ${count(shown)} of ${count(total)} runs; a copy as CSV has all of them`;
}

function classOf(column) {
  return column.isMetric || column.name === "duration" ? "number" : "text";
}
