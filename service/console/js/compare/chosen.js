// A few fields chosen out of many, in an order that buttons change.
import { useId, useState } from "preact/hooks";
import { html } from "../html.js";

/**
 * @param {{label: string, chosen: string[], options: Array<{value: string, text: string}>, most: number,
 *   isOrdered?: boolean, change: (chosen: string[]) => void}} props
 *   label: what is chosen, as "axis". options: all that can be chosen. isOrdered: the order matters.
 */
export function Chosen({ label, chosen, options, most, isOrdered = false, change }) {
  const textOf = new Map(options.map(({ value, text }) => [value, text]));
  const swapped = (index, by) => {
    const next = [...chosen];
    [next[index], next[index + by]] = [next[index + by], next[index]];
    change(next);
  };
  const left = options.filter(({ value }) => !chosen.includes(value));
  return html`<div class="chosen" role="group" aria-label=${`Choice of ${label}`}>
    <ul>
      ${chosen.map((value, index) => {
        const text = textOf.get(value) ?? value;
        return html`<li key=${value}>
          <bdi>${text}</bdi>
          ${isOrdered && html`<button type="button" aria-label=${`Move ${text} left`} disabled=${index === 0} onClick=${() => swapped(index, -1)}>←</button>
            <button type="button" aria-label=${`Move ${text} right`} disabled=${index === chosen.length - 1} onClick=${() => swapped(index, 1)}>→</button>`}
          <button type="button" aria-label=${`Leave ${text} out`} onClick=${() => change(chosen.filter((one) => one !== value))}>✕</button>
        </li>`;
      })}
    </ul>
    <${Choice} label=${`Add: ${label}`} value="" options=${left} isDisabled=${chosen.length >= most} change=${(value) => change([...chosen, value])} empty=${`Add: ${label}`} />
  </div>`;
}

const LISTED = 60; // options of a list; out of more one is found by typing

/** One field out of many. empty: what stands there while none is chosen. */
export function Choice({ label, value, options, change, empty, isDisabled = false }) {
  if (options.length > LISTED) return html`<${Typed} ...${{ label, value, options, change, empty, isDisabled }} />`;
  const choose = (event) => {
    const next = event.target.value;
    if (empty) event.target.value = "";
    if (next) change(next);
  };
  return html`<select aria-label=${label} value=${value} disabled=${isDisabled} onChange=${choose}>
    ${empty && html`<option value="">${empty}</option>`}
    ${options.map((one) => html`<option value=${one.value}>${one.text}</option>`)}
  </select>`;
}

function Typed({ label, value, options, change, empty, isDisabled }) {
  const id = useId();
  const [isUsed, setUsed] = useState(false); // the options are many, so they are there when they are needed
  const choose = (event) => {
    const next = options.find((one) => one.value === event.target.value);
    event.target.value = empty ? "" : (next?.value ?? value);
    if (next) change(next.value);
  };
  return html`
    <input
      list=${id}
      aria-label=${label}
      placeholder=${empty ?? ""}
      value=${value}
      disabled=${isDisabled}
      autocomplete="off"
      onFocus=${(event) => {
        setUsed(true);
        event.target.select();
      }}
      onChange=${choose}
    />
    <datalist id=${id}>${isUsed && options.map((one) => html`<option value=${one.value} />`)}</datalist>
  `;
}
