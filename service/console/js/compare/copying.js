// The dialog that copies a comparison: as it is shown, in one of four forms.
import { useState } from "preact/hooks";
import { addressOf, key } from "../api.js";
import { html } from "../html.js";
import { copyText } from "../parts/clipboard.js";
import { csv, latex, markdown, python } from "../parts/copy.js";
import { Dialog } from "../parts/dialog.js";
import { written } from "../runs/fields.js";

const FORMS = [
  ["csv", "CSV, with numbers in full"],
  ["markdown", "Markdown"],
  ["latex", "LaTeX, for booktabs"],
  ["python", "Python that asks for these runs"],
];
const WRITERS = { csv, markdown, latex };

/**
 * @param {{isOpen: boolean, close: () => void, fields: object[], runs: object[], isTransposed: boolean}} props
 *   fields: that are shown.
 */
export function Copying({ isOpen, close, ...shown }) {
  return html`<${Dialog} isOpen=${isOpen} onClose=${close} name="copying" title="Copy the comparison">
    ${() => html`<${Form} ...${shown} close=${close} />`}
  <//>`;
}

function Form({ fields, runs, isTransposed, close }) {
  const [form, setForm] = useState("csv");
  const [hasDeltas, setDeltas] = useState(false);
  const [said, setSaid] = useState("");
  const copy = async (event) => {
    event.preventDefault();
    try {
      await copyText(copied(form, { fields, runs, isTransposed, hasDeltas }));
      close();
    } catch (error) {
      setSaid(error.message);
    }
  };
  return html`<form onSubmit=${copy}>
    <fieldset>
      <legend>In which form</legend>
      ${FORMS.map(
        ([name, text]) => html`<label key=${name}>
          <input type="radio" name="form" checked=${form === name} onChange=${() => setForm(name)} /> ${text}
        </label>`,
      )}
    </fieldset>
    <p><label>
      <input type="checkbox" checked=${hasDeltas} disabled=${form === "python"} onChange=${(event) => setDeltas(event.target.checked)} />
      ${" "}With the differences from the baseline
    </label></p>
    <p role="status">${said}</p>
    <p>
      <button class="primary">Copy</button>${" "}
      <button type="button" onClick=${close}>Cancel</button>
    </p>
  </form>`;
}

function copied(form, { fields, runs, isTransposed, hasDeltas }) {
  if (form !== "python") return WRITERS[form](tableOf(fields, runs, { isTransposed, hasDeltas, isFull: form === "csv" }));
  const search = {
    filter: `run_id IN (${runs.map(({ id }) => `'${id}'`).join(", ")})`,
    fields: ["run_id", "run_name", ...fields.map((field) => written(field.key))],
    experiment_id: [...new Set(runs.map((run) => run.experimentId).filter(Boolean))],
  };
  return python(addressOf("runs/search").href, search, key.value !== "");
}

/**
 * The comparison as it is shown, for the writers of copies. Pure.
 * @param {object[]} fields @param {object[]} runs the baseline first
 * @param {{isTransposed: boolean, hasDeltas: boolean, isFull: boolean}} options isFull: with whole run ids and names
 */
export function tableOf(fields, runs, { isTransposed, hasDeltas, isFull }) {
  const baseline = runs[0].id;
  const isDelta = (field) => hasDeltas && field.kind === "metrics";
  const deltaOf = (field, { id }) => (id === baseline ? undefined : (field.of.deltas[id].absolute ?? undefined));
  const nameOf = (run) => (isFull ? run.id : `${run.letter} ${run.differs || run.name || run.id}`);
  const fieldName = (field) => (isFull ? field.key : field.name);
  if (isTransposed) {
    return {
      columns: [
        { label: isFull ? "run_id" : "run", kind: "text" },
        ...fields.flatMap((field) => [
          { label: fieldName(field), kind: field.kind === "metrics" ? "number" : "text" },
          ...(isDelta(field) ? [{ label: `difference of ${fieldName(field)}`, kind: "number" }] : []),
        ]),
      ],
      rows: runs.map((run) => [
        nameOf(run),
        ...fields.flatMap((field) => [field.valueOf(run.id), ...(isDelta(field) ? [deltaOf(field, run)] : [])]),
      ]),
    };
  }
  const others = hasDeltas ? runs.slice(1) : [];
  return {
    columns: [
      { label: "field", kind: "text" },
      ...runs.map((run) => ({ label: nameOf(run), kind: "either" })),
      ...others.map((run) => ({ label: `difference of ${nameOf(run)}`, kind: "number" })),
    ],
    rows: fields.map((field) => [
      fieldName(field),
      ...runs.map((run) => field.valueOf(run.id)),
      ...others.map((run) => (isDelta(field) ? deltaOf(field, run) : undefined)),
    ]),
  };
}
