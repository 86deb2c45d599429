// What makes a comparison doubtful, before what is compared.
import { count } from "../format.js";
import { html } from "../html.js";
import { Letter } from "./head.js";

const SEEN = 3; // warnings that are not folded, so that the table is on the screen
const NAMED = 5; // metrics or parameters that are named

// They say that something is not known, and come after those that say that something is wrong.
const MILD = /^(direction_assumed|metric_missing|.*_unknown)$/;

/** The warnings in the order in which they are read: what is wrong, then what is not known. Pure. */
export function bySeverity(warnings) {
  return [...warnings].sort((a, b) => MILD.test(a.code) - MILD.test(b.code));
}

/** @param {{warnings: object[], runs: object[]}} props */
export function Warnings({ warnings, runs }) {
  if (!warnings.length) return null;
  const sorted = bySeverity(warnings);
  const [seen, folded] = [sorted.slice(0, SEEN), sorted.slice(SEEN)];
  return html`
    <section class="warnings" aria-label="May these runs be compared?">
      <ul>${seen.map((one) => html`<${Warning} warning=${one} runs=${runs} />`)}</ul>
      ${folded.length > 0 &&
      html`<details>
        <summary>${count(folded.length)} more ${folded.length === 1 ? "warning" : "warnings"}</summary>
        <ul>${folded.map((one) => html`<${Warning} warning=${one} runs=${runs} />`)}</ul>
      </details>`}
    </section>
  `;
}

function Warning({ warning, runs }) {
  const concerned = runs.filter((run) => warning.run_ids.includes(run.id));
  const names = [...warning.metrics, ...warning.params];
  return html`<li>
    ${concerned.length > 0 &&
    (concerned.length === runs.length
      ? html`<b>All runs:</b>${" "}`
      : html`<span class="concerned">${concerned.map((run) => html`<${Letter} run=${run} />${" "}`)}</span>`)}
    ${warning.text}
    ${names.length > 0 &&
    html`${" "}<span class="muted">(${names.slice(0, NAMED).map((name, index) => html`${index > 0 && ", "}<bdi>${name}</bdi>`)}${names.length > NAMED && ` and ${count(names.length - NAMED)} more`})</span>`}
  </li>`;
}
