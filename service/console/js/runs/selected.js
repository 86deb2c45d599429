// The bar below the table while runs are selected: what can be done with them.
import { html } from "../html.js";
import { MOST, whyNotCompared } from "./selection.js";
import { view } from "./view.js";

/** @param {{state: object, actions: object}} props */
export function Selected({ state, actions }) {
  const { sel, base, top } = state;
  if (!sel.length) return null;
  const why = whyNotCompared(base && !sel.includes(base) ? [base, ...sel] : sel);
  return html`<div class="runs-selected" role="region" aria-label="Selected runs">
    <span><strong>${sel.length}</strong> selected${sel.length === MOST && ", which is the most"}</span>
    <button type="button" class="primary" disabled=${Boolean(why)} aria-describedby=${why ? "why-not" : undefined} onClick=${() => actions.compare()}>
      Compare
    </button>
    ${why && html`<span id="why-not" class="muted">${why}</span>`}
    <button type="button" disabled=${sel.length !== 1 && !base} onClick=${() => actions.setBase(sel.length === 1 && sel[0] !== base ? sel[0] : base)}>
      ${base && (sel.length !== 1 || sel[0] === base) ? "No baseline" : "Set as baseline"}
    </button>
    <button type="button" onClick=${() => (actions.copying.value = true)}>Copy</button>
    <label>
      <input type="checkbox" checked=${top} onChange=${(event) => view.change({ top: event.target.checked }, { replace: true })} />
      Selected runs on top
    </label>
    <button type="button" class="quiet" onClick=${() => actions.select([])}>Select none</button>
  </div>`;
}
