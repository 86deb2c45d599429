// What stands in place of rows where there are none: nothing logged yet, nothing that matches, nothing read yet.
import { useEffect, useState } from "preact/hooks";
import { ask } from "../api.js";
import { filterOf, partsOf } from "../filter/choices.js";
import { count, percent } from "../format.js";
import { html } from "../html.js";
import { Copy } from "../parts/clipboard.js";
import { RequestId } from "../parts/states.js";
import { useResource } from "../resource.js";
import { change } from "./bar.js";
import { useExperiments } from "./experiments.js";

const MOST_PARTS = 12; // that are looked at
const PAUSE = 250; // ms in which a filter stays the same before its parts are looked at

/** What stands in place of a view's rows where there are none. @param {{state: object}} props */
export function Nothing({ state }) {
  if (filterOf(state)) return html`<${NoHit} state=${state} onChange=${change} />`;
  return html`<${EmptyStore} experimentIds=${state.exp} onChange=${change} />`;
}

/**
 * No run matches: how many runs each part of the filter excludes that fit the rest, and a way to drop it.
 * @param {{state: object, onChange: (changes: object) => void}} props
 */
export function NoHit({ state, onChange }) {
  const experiments = state.exp.join(",");
  const parts = partsOf(state);
  const looked = parts.slice(0, MOST_PARTS);
  const { data, error } = useResource((signal) => excludedBy(state, looked, experiments, signal), [filterOf(state), experiments]);
  const everything = Object.assign({ q: "" }, ...parts.map(({ changes }) => changes), { q: "" });
  return html`
    <section class="nothing" role="status">
      <h2>No run matches</h2>
      ${data?.every((runs) => runs === 0) && parts.length > 1 && html`<p>No part alone is the reason: without any one of them there still is no run.</p>`}
      <ul class="parts">
        ${looked.map(
          ({ text, changes }, place) => html`
            <li key=${text}>
              <code><bdi>${text}</bdi></code>
              <span>${data ? excluded(data[place]) : error ? "" : "…"}</span>
              <button type="button" onClick=${() => onChange(changes)} aria-label=${`Drop it: ${text}`}>Drop it</button>
            </li>
          `,
        )}
      </ul>
      ${parts.length > looked.length && html`<p class="muted">and ${count(parts.length - looked.length)} more parts</p>`}
      ${error && html`<p class="wrong">How many runs each part excludes cannot be said: ${error.detail}</p>`}
      <p><button type="button" class="primary" onClick=${() => onChange(everything)}>Show all runs</button></p>
    </section>
  `;
}

function excluded(runs) {
  if (runs === null) return "";
  return runs === 0 ? "is not the only reason" : `excludes ${count(runs)} ${runs === 1 ? "run" : "runs"}`;
}

async function excludedBy(state, parts, experiments, signal) {
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
  signal.throwIfAborted();
  const answers = await Promise.all(
    parts.map(({ changes }) => {
      const query = { filter: filterOf({ ...state, ...changes }), experiment_id: experiments, fields: "run_id", page_size: 1 };
      return ask("runs/search", { query, signal });
    }),
  );
  return { data: answers.map((answer) => answer.data.total), meta: answers[0]?.meta ?? null };
}

/**
 * No run at all in these experiments: how to log one, and where there are others.
 * @param {{experimentIds: string[], onChange: (changes: {exp: string[]}) => void}} props
 */
export function EmptyStore({ experimentIds, onChange }) {
  const { experiments, standard } = useExperiments();
  const ids = experimentIds.length ? experimentIds : standard ? [standard.experiment_id] : [];
  const names = ids.map((id) => experiments.find((one) => one.experiment_id === id)?.name ?? id);
  const others = experiments.filter((one) => !ids.includes(one.experiment_id));
  const name = names[0] ?? "my-experiment";
  const address = document.querySelector("meta[name=mlflow-url]")?.content;
  const lines = [
    "import mlflow",
    ...(address ? [`mlflow.set_tracking_uri(${JSON.stringify(address)})`] : []),
    `mlflow.set_experiment(${JSON.stringify(name)})`,
    'with mlflow.start_run(run_name="training"): mlflow.log_metric("oos_sharpe", 1.2)',
  ].join("\n");
  return html`
    <section class="nothing">
      <h2>No runs in ${names.length ? names.map((one, place) => html`${place > 0 && ", "}<bdi>${one}</bdi>`) : "this experiment"} yet</h2>
      <p>A run is here within seconds after it was logged, as by this:</p>
      <pre tabindex="0"><code>${lines}</code></pre>
      <p><${Copy} text=${lines} what="these lines" /></p>
      ${others.length > 0 &&
      html`
        <h3>Other experiments</h3>
        <ul>
          ${others.map(
            (one) => html`<li key=${one.experiment_id}>
              <button type="button" class="quiet" onClick=${() => onChange({ exp: [one.experiment_id] })}><bdi>${one.name}</bdi></button>
            </li>`,
          )}
        </ul>
      `}
    </section>
  `;
}

/**
 * The index is being read: how far it is, and when the page asks again, which it does by itself.
 * @param {{error: ApiError, retry: () => void}} props
 */
export function NotReady({ error, retry }) {
  const share = error.problem?.share_read;
  const [left, setLeft] = useState(error.retryAfter ?? 1);
  useEffect(() => {
    setLeft(error.retryAfter ?? 1);
    const timer = setInterval(() => setLeft((old) => old - 1), 1000);
    return () => clearInterval(timer);
  }, [error]);
  useEffect(() => {
    if (left === 0) retry();
  }, [left]);
  return html`
    <section class="nothing" role="status">
      <h2>The runs are still being read</h2>
      ${typeof share === "number" &&
      html`<p>
        <progress max="1" value=${share} aria-label="Share of the runs that have been read"></progress>
        ${" "}about ${percent(Math.round(share * 100) / 100)} of them
      </p>`}
      <p>${error.detail}</p>
      <p>${left > 0 ? `Asked again in ${left} s.` : "Asked again now."} ${error.requestId && html`<${RequestId} id=${error.requestId} />`}</p>
    </section>
  `;
}
