// Which change did it: pairs of runs that differ in one parameter alone, associations, and what cannot be told apart.
import { useState } from "preact/hooks";
import { ask } from "../api.js";
import { count, delta, exact, number, percent } from "../format.js";
import { html } from "../html.js";
import { Shown } from "../parts/states.js";
import { Wide } from "../parts/wide.js";
import { useResource } from "../resource.js";
import { Interval } from "./list.js";
import { quoted } from "./view.js";

const SHOWN = 12; // changes before the reader asks for the rest

/** @param {{view: object, metric: string, experiments: string}} props */
export function Drivers({ view, metric, experiments }) {
  const filter = view.type ? `tags.run_type = ${quoted(view.type)}` : "";
  const drivers = useResource(
    (signal, fresh) =>
      ask(`strategies/${encodeURIComponent(view.id)}/drivers`, {
        query: { metric, filter, experiment_id: experiments },
        signal,
        fresh,
      }),
    [view.id, metric, filter, experiments],
  );
  return html`<section class="part" aria-labelledby="drivers">
    <h2 id="drivers">Which change did it?</h2>
    <${Shown} resource=${drivers} rows=${10}>
      ${(data) => html`
        <${Pairs} data=${data} />
        <${Confounded} confounded=${data.confounded} note=${data.notes.confounded} />
        <${Associations} data=${data} />
      `}
    <//>
  </section>`;
}

function Pairs({ data: { pairs, pairs_total: total, direction, metric, used, runs, notes, methods } }) {
  const [isWhole, setWhole] = useState(false);
  if (!pairs.length) {
    return html`<p class="reason">
      No two of the ${count(used)} runs with a finite <bdi>${metric}</bdi> (of ${count(runs)}) differ in one parameter alone,
      so that no change can be judged by itself.
    </p>`;
  }
  const ends = pairs.flatMap(({ interval, mean }) => (interval ? [interval.low, interval.high] : [mean]));
  const range = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const row = (pair) => html`<${Pair} pair=${pair} range=${range} direction=${direction} />`;
  return html`
    <${Wide} label="Changes of one parameter">
      <table class="pairs">
        <caption>
          What <bdi>${metric}</bdi> did where one parameter changed and nothing else did: ${count(total)} ${total === 1 ? "change" : "changes"}
        </caption>
        <thead>
          <tr>
            <th scope="col">Change</th><th scope="col">Run type</th><th scope="col" class="number">Pairs</th>
            <th scope="col" class="number">Mean</th><th scope="col">95 % interval of the mean</th>
            <th scope="col" class="number">Better in</th><th scope="col">Example</th>
          </tr>
        </thead>
        <tbody>${pairs.slice(0, isWhole ? pairs.length : SHOWN).map(row)}</tbody>
      </table>
    <//>
    ${pairs.length > SHOWN &&
    html`<button type="button" class="quiet" onClick=${() => setWhole(!isWhole)}>
      ${isWhole ? "Show fewer" : `Show ${count(pairs.length - SHOWN)} more`}
    </button>`}
    <p class="muted">${notes.pairs}</p>
    <details class="method"><summary>Method</summary><p>${methods.pairs.name}. ${methods.pairs.reference}.</p></details>
  `;
}

function Pair({ pair, range, direction }) {
  const { parameter, from, to, n, mean, interval, reason, share_better: share, run_type: type, kind } = pair;
  const [example] = pair.examples;
  return html`<tr>
    <th scope="row"><bdi>${nameOf(kind, parameter)}</bdi>${" "}<span class="change"><${Value} value=${from} /> → <${Value} value=${to} /></span></th>
    <td><bdi>${type}</bdi></td>
    <td class="number">${count(n)}</td>
    <td class="number" title=${exact(mean)}>${delta(mean)}${verdictOf(mean, interval, direction)}</td>
    <td><${Interval} low=${interval?.low ?? null} mean=${mean} high=${interval?.high ?? null} range=${range} why=${reason?.text ?? ""} /></td>
    <td class="number">${share === null ? html`<span class="muted" title="No value of the metric is best.">–</span>` : percent(share)}</td>
    <td>${example && html`<a href=${`compare?ids=${example.from_run_id},${example.to_run_id}`}>Compare</a>`}</td>
  </tr>`;
}

function verdictOf(mean, interval, direction) {
  if (!interval || (interval.low <= 0 && interval.high >= 0) || (direction !== "max" && direction !== "min")) return null;
  const isBetter = mean > 0 === (direction === "max");
  return html` <span class=${isBetter ? "better" : "worse"}>${mean > 0 ? "▲" : "▼"} ${isBetter ? "better" : "worse"}</span>`;
}

function nameOf(kind, parameter) {
  return kind === "tags" ? `tag ${parameter}` : parameter;
}

function Value({ value }) {
  if (value === null) return html`<span class="muted">not set</span>`;
  return typeof value === "number" ? html`<span title=${exact(value)}>${number(value)}</span>` : html`<bdi>${value}</bdi>`;
}

function Confounded({ confounded: { together, constant, ignored, reason }, note }) {
  if (!together.length && !constant.length && !ignored.length && !reason) return null;
  const names = (list) => list.map((one, index) => html`${index > 0 && ", "}<bdi>${nameOf(one.kind, one.parameter)}</bdi>`);
  return html`
    <h3>What these runs cannot tell</h3>
    ${together.map(
      (group) => html`<p class="warning">
        ${names(group.parameters)} moved together in <bdi>${group.run_type}</bdi> (strength ${number(group.strength)}):
        nobody can tell which of them did it. One run that changes only one of them would.
      </p>`,
    )}
    ${reason && html`<p class="reason">${reason.text}</p>`}
    ${[...new Set(constant.map((one) => one.run_type))].map(
      (type) => html`<p>
        Never varied in <bdi>${type}</bdi>, so that nothing is known of what they do:${" "}
        ${constant
          .filter((one) => one.run_type === type)
          .map((one, index) => html`${index > 0 && "; "}<bdi>${nameOf(one.kind, one.parameter)}</bdi> = <${Value} value=${one.value} />`)}.
      </p>`,
    )}
    ${ignored.length > 0 && html`<p>Not compared, since they name a run or follow from its parameters: ${names(distinct(ignored))}.</p>`}
    <p class="muted">${note}</p>
  `;
}

// A parameter of several run types is named once.
function distinct(list) {
  return [...new Map(list.map((one) => [JSON.stringify([one.kind, one.parameter]), one])).values()];
}

function Associations({ data: { associations, run_types: types, notes, methods } }) {
  const reasons = types.filter((one) => one.reason);
  return html`
    <h3>Associations</h3>
    ${reasons.map((one) => html`<p class="reason"><bdi>${one.run_type}</bdi>: ${one.reason.text}.</p>`)}
    ${associations.length === 0 && reasons.length === 0 && html`<p class="reason">No parameter varies.</p>`}
    ${associations.length > 0 &&
    html`
      <${Wide} label="Associations">
        <table>
          <caption>${notes.associations}</caption>
          <thead>
            <tr>
              <th scope="col">Parameter</th><th scope="col">Run type</th><th scope="col">Method</th><th scope="col" class="number">Value</th>
              <th scope="col" class="number">n</th><th scope="col" class="number">q</th><th scope="col">A rise is</th>
            </tr>
          </thead>
          <tbody>${associations.map((one) => html`<${Association} one=${one} />`)}</tbody>
        </table>
      <//>
      <details class="method">
        <summary>Methods</summary>
        ${["spearman", "kruskal_wallis", "q_value"].map((name) => html`<p>${methods[name].name}. ${methods[name].reference}.</p>`)}
      </details>
    `}
  `;
}

const METHODS = { spearman: "Spearman's ρ", kruskal_wallis: "Kruskal–Wallis ε²" };

function Association({ one }) {
  const { value, n, missing, q_value: q, rise_is_better: isBetter, reason } = one;
  const rise = isBetter === null ? html`<span class="muted">no rise</span>` : html`<span class=${isBetter ? "better" : "worse"}>${isBetter ? "better" : "worse"}</span>`;
  return html`<tr>
    <th scope="row"><bdi>${nameOf(one.kind, one.parameter)}</bdi></th>
    <td><bdi>${one.run_type}</bdi></td>
    <td>${METHODS[one.method] ?? one.method}</td>
    ${value === null
      ? html`<td colspan="4" class="reason">${reason?.text ?? "not computable"}</td>`
      : html`
          <td class="number" title=${exact(value)}>${number(value)}</td>
          <td class="number">${count(n)}${missing > 0 && html` <span class="muted">(${count(missing)} without it)</span>`}</td>
          <td class="number" title=${exact(q)}>${number(q)}${q !== null && q < 0.05 ? " *" : ""}</td>
          <td>${rise}</td>
        `}
  </tr>`;
}
