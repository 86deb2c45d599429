// The experiments whose runs are shown.
import { useRef, useState } from "preact/hooks";
import { ask } from "../api.js";
import { html } from "../html.js";
import { Failure } from "../parts/states.js";
import { useResource } from "../resource.js";

const MANY = 8; // experiments from which on they can be searched

/**
 * All active experiments.
 * @returns {{experiments: Array<{experiment_id: string, name: string}>, standard: object | null, error: ApiError | null}}
 *   standard: the experiment that is meant where none is named, null where that is not known
 */
export function useExperiments() {
  const { data, error, reload } = useResource((signal) => ask("experiments", { signal }), []);
  const experiments = data?.experiments ?? [];
  const name = document.querySelector("meta[name=default-experiment]")?.content;
  return { experiments, standard: experiments.find((one) => one.name === name) ?? null, error, reload };
}

/**
 * A list of experiments, of which one or several are chosen.
 * @param {{ids: string[], onChange: (changes: {exp: string[]}) => void}} props ids: [] for the default experiment
 */
export function ExperimentChooser({ ids, onChange }) {
  const { experiments, standard, error, reload } = useExperiments();
  const [sought, setSought] = useState("");
  const details = useRef(null);
  const chosen = ids.length ? ids : standard ? [standard.experiment_id] : [];
  const choose = (next) => {
    const isStandard = next.length === 0 || (next.length === 1 && next[0] === standard?.experiment_id);
    onChange({ exp: isStandard ? [] : next });
  };
  const toggle = (id) => choose(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]);
  const only = (id) => {
    choose([id]);
    details.current.open = false;
    details.current.querySelector("summary").focus();
  };
  const escape = (event) => {
    if (event.key !== "Escape" || !details.current.open) return;
    details.current.open = false;
    details.current.querySelector("summary").focus();
  };
  const shown = experiments.filter(({ name }) => name.toLowerCase().includes(sought.toLowerCase()));
  const unknown = ids.filter((id) => !experiments.some((one) => one.experiment_id === id));
  return html`
    <details class="experiments" ref=${details} onKeyDown=${escape}>
      <summary>
        <span class="muted">Experiment </span><bdi>${titleOf(chosen, experiments)}</bdi>
      </summary>
      <div class="menu">
        ${error && html`<${Failure} error=${error} retry=${reload} />`}
        ${experiments.length > MANY &&
        html`<input type="text" aria-label="Search experiments" placeholder="Search" value=${sought} onInput=${(event) => setSought(event.target.value)} />`}
        <ul>
          ${shown.map(
            ({ experiment_id: id, name }) => html`
              <li key=${id}>
                <label>
                  <input type="checkbox" checked=${chosen.includes(id)} onChange=${() => toggle(id)} />${" "}<bdi>${name}</bdi>
                  ${id === standard?.experiment_id && html` <span class="muted">(default)</span>`}
                </label>
                <button type="button" class="quiet" onClick=${() => only(id)} aria-label=${`Only ${name}`}>only</button>
              </li>
            `,
          )}
        </ul>
        ${unknown.length > 0 && experiments.length > 0 && html`<p class="wrong">No active experiment has the id ${unknown.join(", ")}.</p>`}
      </div>
    </details>
  `;
}

function titleOf(chosen, experiments) {
  const names = chosen.map((id) => experiments.find((one) => one.experiment_id === id)?.name ?? id);
  if (names.length === 0) return "default";
  return names.length === 1 ? names[0] : `${names[0]} and ${names.length - 1} more`;
}
