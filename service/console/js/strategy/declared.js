// What a reader declares of the Sharpe ratio, where the runs do not say it. It stands in the address.
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { strategyView } from "./view.js";

/** @param {{view: object, isOpen: boolean}} props isOpen: something is missing or wrong. */
export function Declared({ view, isOpen }) {
  const [values, setValues] = useState({ unit: view.unit, ppy: view.ppy, obs: view.obs });
  const set = (name) => (event) => setValues({ ...values, [name]: event.target.value });
  const submit = (event) => {
    event.preventDefault();
    strategyView.change({ unit: values.unit, ppy: values.ppy.trim(), obs: values.obs.trim() });
  };
  const isDeclared = view.unit || view.ppy || view.obs;
  return html`<details class="declared" open=${isOpen || Boolean(isDeclared)}>
    <summary>Declare what the Sharpe ratio is${isDeclared ? " (declared here)" : ""}</summary>
    <form class="bar" onSubmit=${submit}>
      <label>
        Unit${" "}
        <select value=${values.unit} onChange=${set("unit")}>
          <option value="">as the runs say</option>
          <option value="annual">annual</option>
          <option value="period">of one period</option>
        </select>
      </label>
      <label>
        Returns a year${" "}
        <input inputmode="decimal" size="8" placeholder="252" value=${values.ppy} onInput=${set("ppy")} />
      </label>
      <label>
        Number of returns${" "}
        <input size="16" placeholder="1506 or metrics.n_obs" value=${values.obs} onInput=${set("obs")} />
      </label>
      <button>Use</button>
      ${isDeclared &&
      html`<button type="button" class="quiet" onClick=${() => strategyView.change({ unit: "", ppy: "", obs: "" })}>
        As the runs say
      </button>`}
    </form>
    <p class="muted">
      Runs may say it themselves: tags <code>sharpe_unit</code> and <code>periods_per_year</code>, metric <code>n_obs</code>.
    </p>
  </details>`;
}
