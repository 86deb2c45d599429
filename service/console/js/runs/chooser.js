// The dialog in which a reader chooses columns, their order, and which of them stay.
import { useEffect, useState } from "preact/hooks";
import { ask } from "../api.js";
import { count } from "../format.js";
import { html } from "../html.js";
import { Dialog } from "../parts/dialog.js";
import { useResource } from "../resource.js";
import { moved, pinned, toggled } from "./choice.js";
import { fieldOf } from "./fields.js";
import { view } from "./view.js";

const LISTED = 100; // fields of each kind that are listed at once
const PAUSE = 150; // ms after a key
const KINDS = { attributes: "Attributes", metrics: "Metrics", params: "Params", tags: "Tags" };

/**
 * @param {{isOpen: import("@preact/signals").Signal<boolean>, columns: Array<object>, state: object,
 *   fields: object | undefined}} props columns: that are shown now. fields: the answer of /runs/fields
 */
export function Chooser({ isOpen, columns, state, fields }) {
  const close = () => {
    isOpen.value = false;
  };
  return html`<${Dialog} isOpen=${isOpen.value} onClose=${close} name="chooser" title="Columns">
    ${() => html`<${Form} columns=${columns} state=${state} fields=${fields} close=${close} />`}
  <//>`;
}

function Form({ columns, state, fields, close }) {
  const [choice, setChoice] = useState(() => ({ cols: columns.map((column) => column.name), pin: ["run_name", ...state.pin] }));
  const [text, setText] = useState("");
  const listed = useListed(text, state.exp, fields);
  const apply = (event) => {
    event.preventDefault();
    view.change({ cols: choice.cols, pin: choice.pin.filter((name) => name !== "run_name") });
    close();
  };
  const reset = () => {
    view.change({ cols: [], pin: [] });
    close();
  };
  return html`<form onSubmit=${apply}>
    <div class="chooser-lists">
      <section aria-labelledby="chooser-shown">
        <h3 id="chooser-shown">Shown, ${choice.cols.length}</h3>
        <ol>
          ${choice.cols.map((name) => html`<${Shown} key=${name} name=${name} choice=${choice} setChoice=${setChoice} />`)}
        </ol>
      </section>
      <section aria-labelledby="chooser-all">
        <h3 id="chooser-all">All fields</h3>
        <input type="search" value=${text} aria-label="Search fields" placeholder="Search" onInput=${(event) => setText(event.target.value)} />
        <${Listed} listed=${listed} choice=${choice} setChoice=${setChoice} />
      </section>
    </div>
    <p class="chooser-buttons">
      <button class="primary">Apply</button>
      <button type="button" onClick=${close}>Cancel</button>
      <button type="button" class="quiet" onClick=${reset}>As they are by default</button>
    </p>
  </form>`;
}

function Shown({ name, choice, setChoice }) {
  const isName = name === "run_name";
  const place = choice.cols.indexOf(name);
  const button = (text, label, isOff, act) =>
    html`<button type="button" aria-label=${`${label}: ${name}`} title=${label} disabled=${isOff} onClick=${() => setChoice(act(choice))}>${text}</button>`;
  return html`<li>
    <bdi title=${name}>${name}</bdi>
    ${button("↑", "Move up", isName || place <= 1, (old) => moved(old, name, -1))}
    ${button("↓", "Move down", isName || place === choice.cols.length - 1, (old) => moved(old, name, 1))}
    <button type="button" aria-pressed=${choice.pin.includes(name)} disabled=${isName} aria-label=${`Pin: ${name}`}
      onClick=${() => setChoice(pinned(choice, name))}>Pin</button>
    ${button("×", "Remove", isName, (old) => toggled(old, name))}
  </li>`;
}

function Listed({ listed, choice, setChoice }) {
  const { fields, counts, total } = listed;
  const kinds = Object.keys(KINDS).filter((kind) => fields.some((field) => field.kind === kind));
  if (!kinds.length) return html`<p class="muted">No field has this in its name.</p>`;
  return html`<div class="chooser-all" tabindex="0" role="group" aria-labelledby="chooser-all">
    ${kinds.map((kind) => {
      const some = fields.filter((field) => field.kind === kind).slice(0, LISTED);
      const more = (counts[kind] ?? some.length) - some.length;
      return html`<fieldset key=${kind}>
        <legend>${KINDS[kind]}</legend>
        ${some.map(
          ({ name, runs }) => html`<label key=${name}>
            <input type="checkbox" checked=${choice.cols.includes(name)} disabled=${name === "run_name"} onChange=${() => setChoice(toggled(choice, name))} />
            <bdi>${fieldOf(name).key}</bdi> <span class="muted">${count(runs)} of ${count(total)}</span>
          </label>`,
        )}
        ${more > 0 && html`<p class="muted">${count(more)} more: search for them</p>`}
      </fieldset>`;
    })}
  </div>`;
}

// The fields that have a text in their names. Those that are known already will do until the service answers.
function useListed(text, exp, known) {
  const [asked, setAsked] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  const found = useResource(
    (signal) => ask("runs/fields", { query: { experiment_id: exp.join(","), contains: asked, limit: LISTED }, signal }),
    [asked, exp.join(",")],
  );
  const lower = text.trim().toLowerCase();
  const { fields = [], counts = {}, total = 0 } = (asked.toLowerCase() === lower && found.data) || known || {};
  return { fields: fields.filter((field) => field.name.toLowerCase().includes(lower)), counts: lower === asked.toLowerCase() ? counts : {}, total };
}
