// The filter bar: a text field for filters in the API's grammar, and for what `translate` makes of other texts.
// It is a combobox with a list and manual selection: https://www.w3.org/WAI/ARIA/apg/patterns/combobox/
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { useKeys } from "../keys.js";
import { LOST, later } from "../later.js";
import { Remark } from "./remark.js";
import { useChoices } from "./suggestions.js";

const reader = later(() => import("./language.js"));
const UNREAD = { filter: null, problem: null, choice: null }; // of a text, while the language is not there
const QUICK = 60; // ms: a filter is asked at once, but for keys that follow each other within that time

/**
 * The bar. What can be asked is asked as it is typed; what is not complete waits.
 * @param {{
 *   state: object, onChange: (changes: {q: string}, options: {replace: boolean}) => void,
 *   fields: Array<object> | null, error: ApiError | null, experimentIds: string[],
 * }} props state: of the view. fields: of GET /runs/fields, null while they are not known. error: of the search
 *   with this filter.
 */
export function FilterBar({ state, onChange, fields, error = null, experimentIds = [] }) {
  const { now: language } = reader;
  const [text, setText] = useState(() => written(language, state.q));
  const [caret, setCaret] = useState(text.length);
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const [isEnded, setEnded] = useState(true); // whether nobody is about to type on
  const input = useRef(null);
  const asked = useRef(state.q);
  const typed = useRef({ text, at: -Infinity });
  const hasStep = useRef(false); // whether the address has a step for what is typed now
  const choices = useChoices({ language, text, caret, fields, experimentIds, isOpen });
  const option = choices.options[active];
  const translation = language?.translate(text, fields) ?? UNREAD;

  useKeys([{ key: "/", text: "Go to the filter", run: () => input.current.focus() }], []);
  useEffect(() => {
    if (state.q) reader.want();
    if (state.q === asked.current) return;
    asked.current = state.q;
    setText(written(language, state.q));
  }, [state.q]);
  useEffect(() => {
    // As it was shown before it could be read; what somebody has typed since then stays.
    setText((now) => (now === state.q ? written(language, now) : now));
  }, [language]);
  useLayoutEffect(() => {
    const before = typed.current;
    if (text === before.text) return send(); // other fields are known, or the language is there
    typed.current = { text, at: performance.now() };
    if (typed.current.at - before.at > QUICK) return send();
    const timer = setTimeout(send, QUICK);
    return () => clearTimeout(timer);
  }, [text, fields, language]);

  function send() {
    if (translation.filter === null || translation.filter === asked.current) return;
    asked.current = translation.filter;
    onChange({ q: translation.filter }, { replace: hasStep.current });
    hasStep.current = true;
  }
  function write(changed, place = changed.length) {
    setText(changed);
    setCaret(place);
    setActive(-1);
    setEnded(false);
    // Preact writes the value first; the caret would else stand at its end.
    requestAnimationFrame(() => input.current?.setSelectionRange(place, place));
  }
  function take(one) {
    const put = language.chosen(text, one.isWhole ? { start: 0, end: text.length } : choices.context, one);
    write(put.text, put.caret);
    setOpen(!one.isWhole);
  }
  function end() {
    send();
    setEnded(true);
    setOpen(false);
    hasStep.current = false;
    if (translation.filter) language.remember(translation.filter);
  }
  function type(event) {
    reader.want();
    setText(event.target.value);
    setCaret(event.target.selectionStart);
    setActive(-1);
    setEnded(false);
    setOpen(true);
  }
  function press(event) {
    const { length } = choices.options;
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) {
      event.preventDefault();
      setCaret(event.target.selectionStart);
      setOpen(true);
      // From the field to the first or last choice, and past these back to the field.
      if (isOpen && !event.altKey) setActive(active + move < -1 ? length - 1 : active + move >= length ? -1 : active + move);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (isOpen && option) take(option);
      else end();
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      setOpen(false);
      setActive(-1);
    }
  }
  const isShown = isOpen && choices.options.length > 0;
  const problem = translation.problem;
  const isFaulty = Boolean(error?.errors?.length) || (problem !== null && (isEnded || !problem.isOpen));
  return html`
    <div class="filter" role="search">
      <label for="filter">Filter</label>
      <div class="filter-field">
        <input
          id="filter"
          ref=${input}
          type="text"
          role="combobox"
          autocomplete="off"
          autocapitalize="none"
          spellcheck=${false}
          placeholder="oos_sharpe > 1.2, momentum, a run id"
          aria-autocomplete="list"
          aria-expanded=${isShown}
          aria-controls="filter-choices"
          aria-activedescendant=${isShown && option ? `filter-choice-${active}` : undefined}
          aria-describedby="filter-remark"
          aria-invalid=${isFaulty}
          value=${text}
          onInput=${type}
          onKeyDown=${press}
          onClick=${(event) => setCaret(event.target.selectionStart)}
          onFocus=${() => reader.want()}
          onBlur=${end}
        />
        ${text && html`<button type="button" class="quiet clear" aria-label="Clear the filter" onClick=${() => (write(""), input.current.focus())}>×</button>`}
        <${Choices} isShown=${isShown} options=${choices.options} active=${active} onTake=${take} />
      </div>
      <${Remark} ...${{ text, translation, state, shown: written(language, state.q), error, isEnded }} onWrite=${(changed, place) => (write(changed, place), input.current.focus())} />
      ${reader.isLost && html`<p class="wrong">${LOST}</p>`}
      <p class="visually-hidden" role="status">${isShown ? `${choices.options.length} suggestions` : ""}</p>
    </div>
  `;
}

/** A filter as a reader would write it. */
function written(language, filter) {
  return language ? language.shortest(filter) : filter;
}

function Choices({ isShown, options, active, onTake }) {
  const list = useRef(null);
  useEffect(() => list.current?.children[active]?.scrollIntoView({ block: "nearest" }), [active]);
  return html`
    <ul id="filter-choices" ref=${list} role="listbox" aria-label="Suggestions" class="filter-choices" hidden=${!isShown}>
      ${isShown &&
      options.map(
        (one, place) => html`
          <li
            id=${`filter-choice-${place}`}
            key=${one.label}
            role="option"
            aria-selected=${place === active}
            onMouseDown=${(event) => event.preventDefault()}
            onClick=${() => onTake(one)}
          >
            <bdi>${one.label}</bdi><span class="muted">${one.detail}</span>
          </li>
        `,
      )}
    </ul>
  `;
}
