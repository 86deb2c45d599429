// The plots of a comparison: fields against each other, which runs no other beats, all fields at once, histories.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { listed } from "../chart/axes.js";
import { Parallel } from "../chart/parallel.js";
import { Scatter } from "../chart/scatter.js";
import { html } from "../html.js";
import { Failure } from "../parts/states.js";
import { useResource } from "../resource.js";
import { Choice, Chosen } from "./chosen.js";
import { Letter } from "./head.js";
import { Histories } from "./histories.js";
import { analysed } from "./load.js";
import { MOST_OF_FRONT, choices, frontNames, measureOf, parallelFields, scatterFields, telling } from "./measures.js";
import { view } from "./view.js";

const FEWEST_LINES = 3; // runs, for parallel coordinates
const MOST_AXES = 12;
const NOBODY = new Set();

/**
 * @param {{runs: object[], fields: Record<string, object[]>, state: object, look: object, receivedAt: number}} props
 *   look: the last one at the runs. receivedAt: ms, when their figures came
 */
export function Plots({ runs, fields, state, look, receivedAt }) {
  const { x, y } = scatterFields(fields, state.across, state.up);
  const names = frontNames(fields, state.front, { x, y });
  const ids = runs.map(({ id }) => id).sort();
  const front = useResource(
    (signal, fresh) => (names.length ? analysed(ids, "", names, { signal, fresh }) : Promise.resolve({ data: null, meta: null })),
    [ids.join(), names.join("\0"), receivedAt],
  );
  const pareto = front.data?.analysis?.pareto ?? null;
  const unbeaten = useMemo(() => new Set(pareto?.run_ids ?? NOBODY), [pareto]);
  const options = choices(fields).map(({ key }) => ({ value: key, text: key }));
  if (!options.length) return null;
  return html`
    <section aria-labelledby="plot-scatter">
      <h2 id="plot-scatter">One field against another</h2>
      ${x && y
        ? html`<p class="tools">
              <label>Across${" "}<${Choice} label="Across" value=${x.key} options=${options} change=${(across) => view.change({ across })} /></label>
              <label>Up${" "}<${Choice} label="Up" value=${y.key} options=${options} change=${(up) => view.change({ up })} /></label>
            </p>
            <${Scatter} runs=${runs} x=${measureOf(x, runs)} y=${measureOf(y, runs)} front=${unbeaten} frontName=${names.join(" and ")} isOfAxes=${[x, y].every((one) => one.kind === "metrics" && names.includes(one.name)) && names.length === 2} />`
        : html`<p class="muted">The runs have but one field.</p>`}
      <h3>Runs that no other beats</h3>
      <p class="muted">None of the others is at least as good by each of these metrics, and better by one.</p>
      <${Chosen}
        label="metric"
        most=${MOST_OF_FRONT}
        chosen=${names}
        options=${telling(fields.metrics, false).map(({ name }) => ({ value: name, text: name }))}
        change=${(next) => view.change({ front: next })}
      />
      ${front.error ? html`<${Failure} error=${front.error} retry=${front.reload} />` : pareto && html`<${Front} pareto=${pareto} runs=${runs} />`}
    </section>
    ${runs.length >= FEWEST_LINES && html`<${AllAtOnce} runs=${runs} fields=${fields} state=${state} options=${options} />`}
    <${WhenSeen} title="Histories">
      <${Histories} runs=${runs} metrics=${fields.metrics} state=${state} look=${look} />
    <//>
  `;
}

function Front({ pareto, runs }) {
  if (!pareto.run_ids) return html`<p class="muted">${pareto.reason.text}</p>`;
  const of = (ids) => runs.filter(({ id }) => ids.includes(id));
  return html`<p role="status">
    ${of(pareto.run_ids).map((run) => html`<${Letter} run=${run} />${" "}`)}
    ${pareto.missing_run_ids.length > 0 &&
    html`<span class="muted">Left out, for want of a finite value: ${listed(of(pareto.missing_run_ids))}.</span>`}
  </p>`;
}

function AllAtOnce({ runs, fields, state, options }) {
  const shown = parallelFields(fields, state.axes);
  return html`<section aria-labelledby="plot-parallel">
    <h2 id="plot-parallel">All at once</h2>
    <${Chosen}
      label="axis"
      most=${MOST_AXES}
      isOrdered
      chosen=${shown.map(({ key }) => key)}
      options=${options}
      change=${(axes) => view.change({ axes })}
    />
    ${shown.length > 1 ? html`<${Parallel} runs=${runs} measures=${shown.map((field) => measureOf(field, runs))} />` : html`<p class="muted">Choose two axes or more.</p>`}
  </section>`;
}

// Nothing is asked of MLflow for what nobody scrolls to.
function WhenSeen({ title, children }) {
  const place = useRef(null);
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => entry.isIntersecting && setSeen(true), { rootMargin: "200px" });
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  return html`<section ref=${place} class="when-seen" aria-label=${title}><h2>${title}</h2>${isSeen && children}</section>`;
}
