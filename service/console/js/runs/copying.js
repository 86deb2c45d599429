// The dialog that copies the table: which runs of it, and in which form.
import { useState } from "preact/hooks";
import { addressOf, key, open } from "../api.js";
import { count } from "../format.js";
import { html } from "../html.js";
import { copyText } from "../parts/clipboard.js";
import { csv, latex, markdown, python } from "../parts/copy.js";
import { Dialog } from "../parts/dialog.js";
import { textOf } from "./cells.js";
import { written } from "./fields.js";
import { Rows } from "./rows.js";

const FORMS = [
  ["csv", "CSV, with numbers in full"],
  ["markdown", "Markdown"],
  ["latex", "LaTeX, for booktabs"],
  ["python", "Python that asks for the same runs"],
];
const WRITERS = { csv, markdown, latex };

/**
 * @param {{actions: object, rows: object, columns: Array<object>, state: object,
 *   search: object}} props
 *   search: as `Rows.load` takes it
 */
export function Copying(props) {
  const isOpen = props.actions.copying;
  const close = () => {
    isOpen.value = false;
  };
  return html`<${Dialog} isOpen=${isOpen.value} onClose=${close} name="copying" title="Copy runs">
    ${() => html`<${Form} ...${props} close=${close} />`}
  <//>`;
}

function Form({ close, ...props }) {
  const { actions, rows, state, search } = props;
  const [scope, setScope] = useState(state.sel.length ? "selected" : "screen");
  const [form, setForm] = useState("csv");
  const [said, setSaid] = useState("");
  const scopes = scopesOf(actions, rows, state);
  const copy = async (event) => {
    event.preventDefault();
    try {
      if (form === "csv" && scope === "hits") await download(search);
      else await copyText(await copied(form, scopes.find((one) => one.name === scope).ids, props));
      close();
    } catch (error) {
      setSaid(error.message);
    }
  };
  return html`<form onSubmit=${copy}>
    <fieldset>
      <legend>Which runs</legend>
      ${scopes.map(
        ({ name, text, isOff }) => html`<label key=${name}>
          <input type="radio" name="scope" checked=${scope === name} disabled=${isOff} onChange=${() => setScope(name)} /> ${text}
        </label>`,
      )}
    </fieldset>
    <fieldset>
      <legend>In which form</legend>
      ${FORMS.map(
        ([name, text]) => html`<label key=${name}>
          <input type="radio" name="form" checked=${form === name} disabled=${scope === "hits" && WRITERS[name] && name !== "csv"}
            onChange=${() => setForm(name)} /> ${text}
        </label>`,
      )}
    </fieldset>
    <p role="status">${said}</p>
    <p>
      <button class="primary">${form === "csv" && scope === "hits" ? "Download" : "Copy"}</button>${" "}
      <button type="button" onClick=${close}>Cancel</button>
    </p>
  </form>`;
}

function scopesOf(actions, rows, { sel }) {
  const [from, to] = actions.shown.shown(rows.extent.value);
  const onScreen = Array.from({ length: Math.max(0, to - from) }, (_, number) => rows.at(from + number)).filter(Boolean);
  const total = rows.total.value;
  return [
    { name: "screen", text: `The ${count(onScreen.length)} on the screen`, ids: onScreen.map((row) => row.id), isOff: !onScreen.length },
    { name: "selected", text: `The ${count(sel.length)} selected`, ids: sel, isOff: !sel.length },
    { name: "hits", text: `All ${total === null ? "" : count(total)} that match, as CSV or Python`, ids: null, isOff: !rows.loaded.value },
  ];
}

// The text of a copy. rows: those that have been read; others are asked for.
async function copied(form, ids, { rows, columns, search }) {
  const narrowed = ids === null ? search : { ...search, q: `run_id IN (${ids.map((id) => `'${id}'`).join(", ")})` };
  if (form === "python") return python(addressOf("runs/search").href, queryOf(narrowed), key.value !== "");
  const read = ids.map((id) => rows.at(rows.placeOf(id)));
  if (read.every(Boolean)) return WRITERS[form](tableOf(form, read, columns));
  const others = new Rows();
  await others.load(narrowed);
  if (others.error.value) throw others.error.value;
  return WRITERS[form](tableOf(form, ids.map((id) => others.at(others.placeOf(id))).filter(Boolean), columns));
}

function queryOf({ q, exp, order, names }) {
  const fields = [...new Set(["run_id", ...names])].map(written);
  return { filter: q, order_by: [order], fields, experiment_id: exp };
}

async function download(search) {
  const { filter, order_by: order, fields, experiment_id: exp } = queryOf(search);
  const query = { filter, order_by: order, fields: fields.join(","), experiment_id: exp.join(",") };
  const response = await open("runs/search", { query, accept: "text/csv" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = "runs.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
}

function tableOf(form, read, columns) {
  const isCsv = form === "csv";
  const isNumber = (column) => column.isMetric || (isCsv && (column.isTime || column.name === "duration"));
  const id = { name: "run_id", label: "run id", isMetric: false, isTime: false };
  const shown = [...columns.filter((column) => column.name !== "run_id"), id];
  return {
    columns: shown.map((column) => ({ label: isCsv ? column.name : column.label, kind: isNumber(column) ? "number" : "text" })),
    rows: read.map(({ values }) => shown.map((column) => (isNumber(column) || isCsv ? values[column.name] : textOf(column, values[column.name])))),
  };
}
