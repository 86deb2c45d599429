// The head of the page "Runs": whose runs, which of them, and whether they are live.
import { FilterBar } from "../filter/bar.js";
import { html } from "../html.js";
import { LiveSwitch } from "../live/switch.js";
import { ExperimentChooser } from "./experiments.js";
import { view } from "./view.js";

/** Change the view. @param {object} changes @param {{replace?: boolean}} [options] */
export function change(changes, options) {
  view.change(changes, options);
}

/**
 * @param {{state: object, fields: Array<object> | null, error: ApiError | null, live: object}} props
 *   fields: of GET /runs/fields, null while they are not known. error: of the search. live: of `useLive`
 */
export function Bar({ state, fields, error, live }) {
  return html`
    <div class="runs-bar">
      <h1>Runs</h1>
      <${ExperimentChooser} ids=${state.exp} onChange=${change} />
      <${LiveSwitch} state=${live} isOn=${state.live} onChange=${change} />
      <${FilterBar} state=${state} onChange=${change} fields=${fields} error=${error} experimentIds=${state.exp} />
    </div>
  `;
}
