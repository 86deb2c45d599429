// What a comparison shows where there are too few runs, too many, or some that do not exist.
import { useState } from "preact/hooks";
import { count } from "../format.js";
import { html } from "../html.js";
import { MOST, pastedId, view, without } from "./view.js";

/** Fewer than two runs. @param {{ids: string[], missing?: string[]}} props ids: that exist, or are asked for */
export function TooFew({ ids, missing = [] }) {
  return html`
    <h1>Comparison</h1>
    ${missing.length > 0 && html`<${Missing} missing=${missing} state=${view.read()} />`}
    <p>
      ${ids.length === 1 ? html`There is one run here, <code>${ids[0]}</code>; a comparison has two or more.` : "A comparison has two runs or more."}
      ${" "}Select them in <a href="runs">the list of runs</a>, or add one by its id.
    </p>
    <${Add} ids=${[...ids, ...missing]} />
  `;
}

/** More runs than the API compares. @param {{ids: string[]}} props */
export function TooMany({ ids }) {
  const first = `compare${view.query({ ids: ids.slice(0, MOST), base: "" })}`;
  return html`
    <h1>Comparison</h1>
    <p>
      ${count(ids.length)} runs are asked for, and at most ${count(MOST)} can be compared.
      ${" "}<a href=${first}>Compare the first ${count(MOST)}</a>, or select fewer in <a href="runs">the list of runs</a>.
    </p>
  `;
}

/** Runs that do not exist, or may not be read. @param {{missing: string[], state: object}} props */
export function Missing({ missing, state }) {
  const [subject, verb] = missing.length === 1 ? ["run", "does"] : ["runs", "do"];
  return html`<div class="stale" role="status">
    ${count(missing.length)} ${subject} ${verb} not exist, or may not be read:
    ${" "}${missing.map((id, index) => html`${index > 0 && ", "}<code>${id}</code>`)}.
    ${" "}<button type="button" class="quiet" onClick=${() => view.change(without(state, missing))}>Drop them from the address</button>
  </div>`;
}

/** A run more, by what somebody pastes. @param {{ids: string[]}} props */
export function Add({ ids }) {
  const [text, setText] = useState("");
  const [fault, setFault] = useState("");
  const submit = (event) => {
    event.preventDefault();
    const id = pastedId(text);
    if (!id) return setFault("This is no run id.");
    if (ids.includes(id)) return setFault("This run is here already.");
    if (ids.length >= MOST) return setFault(`At most ${MOST} runs can be compared.`);
    setText("");
    setFault("");
    view.change({ ids: [...ids, id] });
  };
  return html`<form class="add" onSubmit=${submit}>
    <input
      aria-label="Run id, or the address of a run's page"
      placeholder="Run id or address"
      autocomplete="off"
      spellcheck=${false}
      value=${text}
      aria-invalid=${fault ? "true" : undefined}
      onInput=${(event) => setText(event.target.value)}
    />
    ${" "}<button>Add the run</button>
    ${" "}<span class="wrong" role="status">${fault}</span>
  </form>`;
}
