// The line under the filter bar: how the text is asked, what is missing, what is wrong and where.
import { html } from "../html.js";
import { placeInText } from "./choices.js";
import { describe } from "./describe.js";
import { tokensOf, unitsOf } from "./lexer.js";

const AROUND = 30; // characters that are shown before a fault

/**
 * @param {{
 *   text: string, translation: object, state: object, shown: string, error: ApiError | null, isEnded: boolean,
 *   onWrite: (text: string, caret?: number) => void,
 * }} props translation: of the text. shown: the filter of
 *   the rows, as a reader would write it. isEnded: whether nobody is about to type on.
 */
export function Remark({ text, translation, state, shown, error, isEnded, onWrite }) {
  return html`<div id="filter-remark" class="filter-remark" aria-live="polite">${line()}</div>`;

  function line() {
    const { filter, problem, choice } = translation;
    if (choice) return html`<${Choice} choice=${choice} text=${text} onWrite=${onWrite} /><${Shown} filter=${shown} />`;
    if (problem?.isOpen && !isEnded) return html`<p class="muted">Not asked yet: expected ${problem.expected}. <${Shown} filter=${shown} /></p>`;
    if (problem) return html`<${Fault} text=${text} place=${problem.position} message=${`expected ${problem.expected}`} onWrite=${onWrite} />`;
    const refusals = (error?.errors ?? []).filter(({ location }) => /\bfilter$/.test(location));
    if (refusals.length) return html`<${Refusal} refusal=${refusals[0]} state=${state} onWrite=${onWrite} />`;
    return filter && filter !== text.trim() ? html`<p>asked as: <code><bdi>${filter}</bdi></code></p>` : null;
  }
}

/** Which filter the rows are those of, while another one is typed. */
function Shown({ filter }) {
  return html`<span class="muted">The rows are those of ${filter ? html`<code><bdi>${filter}</bdi></code>` : "no filter"}.</span>`;
}

/** A name that several fields may mean. */
function Choice({ choice: { start, end, name, options, isKnown }, text, onWrite }) {
  const put = (field) => onWrite(text.slice(0, start) + field.written + text.slice(end), start + field.written.length);
  return html`
    <p>
      ${isKnown ? "Not asked yet: which field is “" : "Not asked yet: no run has a field called “"}<bdi>${name}</bdi>”${isKnown ? "?" : ". Is it"}
      ${options.map(
        (field) => html`${" "}<button type="button" title=${describe(field)} onClick=${() => put(field)}><bdi>${field.written}</bdi></button>`,
      )}
    </p>
  `;
}

/** What the service says of a filter. */
function Refusal({ refusal: { message, position }, state, onWrite }) {
  const place = typeof position === "number" ? placeInText(state, position) : null;
  if (place === null) return html`<p class="wrong">${message}</p>`;
  const text = state.q.trim();
  return html`<${Fault} text=${text} place=${unitsOf(text, place)} message=${message.replace(/^at position \d+: /, "")} onWrite=${onWrite} />`;
}

/** A text with a mark under the place where it is wrong. */
function Fault({ text, place, message, onWrite }) {
  const from = Math.max(0, place - AROUND);
  const before = (from ? "…" : "") + text.slice(from, place);
  const wrong = tokensOf(text).find(({ start }) => start === place)?.text.slice(0, AROUND) ?? "";
  return html`
    <p class="fault">
      <code aria-hidden="true">${before}<mark>${wrong || "\u00a0"}</mark>${text.slice(place + wrong.length, place + wrong.length + AROUND)}</code>
      <span class="wrong">
        ${`At character ${place + 1}: ${message} `}
        <button type="button" class="quiet" onClick=${() => onWrite(text, place)}>Go there</button>
      </span>
    </p>
  `;
}
