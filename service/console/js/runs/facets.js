// The facets: the values of some fields with the number of runs that have them, and which of them are chosen.
import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "../api.js";
import { FACETS, NOT_LOGGED, filterOf } from "../filter/choices.js";
import { count } from "../format.js";
import { html } from "../html.js";
import { Status } from "../parts/states.js";
import { useResource } from "../resource.js";
import { isOfFilter } from "./errors.js";

const FEW = 7; // values that are shown at first
const MANY = 12; // values from which on they can be searched
const PAUSE = 120; // ms, in which the rows of the same filter are asked for first
const RECOUNT = 10_000; // ms between two counts of rows that change
const NARROW = "(max-width: 48rem)";

/**
 * The facets of a view. A facet's own choice does not narrow its counts.
 * @param {{state: object, onChange: (changes: object) => void, version?: number}} props
 *   version: a number that grows when runs have changed
 */
export function Facets({ state, onChange, version = 0 }) {
  const recount = useSpaced(version, RECOUNT);
  const experiments = state.exp.join(",");
  const { data, error } = useResource((signal) => countsOf(state, experiments, signal), [filterOf(state), experiments, recount]);
  const shown = FACETS.filter(({ name }) => state[name].length > 0 || data?.[name]?.some(({ value }) => value !== NOT_LOGGED));
  const chosen = FACETS.filter(({ name }) => state[name].length > 0);
  return html`
    <div class="facet-list">
      ${chosen.length > 1 &&
      html`<button type="button" class="quiet" onClick=${() => onChange(Object.fromEntries(chosen.map(({ name }) => [name, []])))}>
        Clear all choices
      </button>`}
      ${error && !isOfFilter(error) && html`<p class="muted">The values cannot be counted: ${error.detail}</p>`}
      ${shown.map(
        (facet) => html`
          <${Facet}
            key=${facet.name}
            facet=${facet}
            values=${withChosen(data?.[facet.name] ?? [], state[facet.name])}
            chosen=${state[facet.name]}
            onChange=${(values) => onChange({ [facet.name]: values })}
          />
        `,
      )}
    </div>
  `;
}

function Facet({ facet: { name, title }, values, chosen, onChange }) {
  const [isOpen, setOpen] = useState(() => !matchMedia(NARROW).matches);
  const [isWhole, setWhole] = useState(false);
  const [sought, setSought] = useState("");
  const fitting = values.filter(({ value }) => labelOf(value).toLowerCase().includes(sought.toLowerCase()));
  const shown = isWhole || sought ? fitting : fitting.filter(({ value }, place) => place < FEW || chosen.includes(value));
  const toggle = (value) => onChange(chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value]);
  return html`
    <details class="facet" open=${isOpen} onToggle=${(event) => setOpen(event.target.open)}>
      <summary>${title}${chosen.length > 0 && html` <span class="chosen">${chosen.length} chosen</span>`}</summary>
      <fieldset>
        <legend class="visually-hidden">${title}</legend>
        ${values.length > MANY &&
        html`<input
          type="text"
          aria-label=${`Search in ${title}`}
          placeholder=${`Search ${count(values.length)} values`}
          value=${sought}
          onInput=${(event) => setSought(event.target.value)}
        />`}
        ${shown.map(
          ({ value, count: runs }) => html`
            <label key=${`${value === NOT_LOGGED ? "-" : `=${value}`}`} class=${runs === 0 ? "muted" : undefined}>
              <input type="checkbox" checked=${chosen.includes(value)} onChange=${() => toggle(value)} />
              <span class="value" title=${labelOf(value)}>
                ${name === "status" && value ? html`<${Status} status=${value} />` : html`<bdi>${labelOf(value)}</bdi>`}
              </span>
              <span class="count">${count(runs)}</span>
            </label>
          `,
        )}
        ${sought && fitting.length === 0 && html`<p class="muted">No value contains this.</p>`}
        ${!sought &&
        values.length > FEW &&
        html`<button type="button" class="quiet" onClick=${() => setWhole(!isWhole)}>
          ${isWhole ? "Fewer" : `${count(values.length - FEW)} more`}
        </button>`}
        ${chosen.length > 0 && html`<button type="button" class="quiet" onClick=${() => onChange([])}>Clear</button>`}
      </fieldset>
    </details>
  `;
}

/** The counts of all facets, by their names. Those without a choice are counted by one request. */
async function countsOf(state, experiments, signal) {
  await pause(PAUSE, signal);
  const free = FACETS.filter(({ name }) => state[name].length === 0);
  const bound = FACETS.filter(({ name }) => state[name].length > 0);
  const groups = [[free, filterOf(state)], ...bound.map((facet) => [[facet], filterOf(state, facet.name)])];
  const asked = groups.filter(([facets]) => facets.length > 0);
  const answers = await Promise.all(
    asked.map(([facets, filter]) => {
      const fields = facets.map(({ field }) => field).join(",");
      const query = { filter, facets: fields, experiment_id: experiments, fields: "run_id", page_size: 1 };
      return ask("runs/search", { query, signal });
    }),
  );
  const data = {};
  for (const [place, [facets]] of asked.entries()) {
    const counts = Object.values(answers[place].data.facets);
    for (const [number, { name }] of facets.entries()) data[name] = counts[number] ?? [];
  }
  return { data, meta: answers[0].meta };
}

function withChosen(values, chosen) {
  const missing = chosen.filter((one) => !values.some(({ value }) => value === one));
  return [...missing.map((value) => ({ value, count: 0 })), ...values];
}

function labelOf(value) {
  if (value === NOT_LOGGED) return "not logged";
  return value === "" ? "''" : String(value);
}

/** A value that changes at most once in that time. */
function useSpaced(value, ms) {
  const [spaced, setSpaced] = useState(value);
  const last = useRef(0);
  useEffect(() => {
    if (value === spaced) return undefined;
    const timer = setTimeout(
      () => {
        last.current = Date.now();
        setSpaced(value);
      },
      Math.max(0, last.current + ms - Date.now()),
    );
    return () => clearTimeout(timer);
  }, [value, spaced]);
  return spaced;
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
