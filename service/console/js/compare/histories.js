// The histories of chosen metrics, the runs over each other.
import { useMemo, useState } from "preact/hooks";
import { ask } from "../api.js";
import { Lines } from "../chart/lines.js";
import { count } from "../format.js";
import { html } from "../html.js";
import { Shown } from "../parts/states.js";
import { useResource } from "../resource.js";
import { Chosen } from "./chosen.js";
import { view } from "./view.js";

const MOST_RUNS = 10; // that are drawn over each other
const MOST_METRICS = 6;
const PROBED = 40; // metrics of the baseline that are looked at for more than one value
const KEYS = 20; // of one request
const LONGEST = 250; // characters of a key that the API takes, as MLflow does
const POINTS = 1000;

/**
 * @param {{runs: object[], metrics: object[], state: object, look: import("../live/looks.js").Look}} props
 *   look: the last one at the runs
 */
export function Histories({ runs, metrics, state, look }) {
  const names = metrics.map(({ name }) => name);
  const ofBaseline = metrics.filter((one) => one.valueOf(runs[0].id) !== undefined && one.name.length <= LONGEST);
  const probed = ofBaseline.slice(0, PROBED).map(({ name }) => name);
  const probe = useResource(
    (signal, fresh) => severalOf(runs[0].id, probed, { signal, fresh }),
    [runs[0].id, probed.join("\0")],
  );
  return html`<${Shown} resource=${probe} rows=${8}>
    ${(several) => html`<${Chosen}
        label="metric"
        most=${MOST_METRICS}
        chosen=${chosenOf(state.history, several)}
        options=${names.map((name) => ({ value: name, text: name }))}
        change=${(history) => view.change({ history })}
      />
      <${Drawn} runs=${runs} names=${chosenOf(state.history, several)} state=${state} look=${look} />`}
  <//>`;
}

function chosenOf(asked, several) {
  return asked.length ? asked.slice(0, MOST_METRICS) : several.slice(0, 1);
}

function Drawn({ runs, names, state, look }) {
  const [isLog, setLog] = useState(false);
  const drawn = runs.slice(0, MOST_RUNS);
  const ids = drawn.map(({ id }) => id);
  const resource = useResource(
    (signal, fresh) => historiesOf(ids, names, state.x, { signal, isFresh: (id) => fresh || look.ids.includes(id) }),
    [ids.join(), names.join("\0"), state.x, look.number],
  );
  const series = useMemo(
    () => names.map((name) => linesOf(drawn, resource.data ?? [], name, state.x)),
    [resource.data, names.join("\0"), drawn.map(({ letter, differs, startMs }) => `${letter}${differs}${startMs}`).join("\0")],
  );
  if (!names.length) return html`<p class="muted">No metric of the baseline has more than one value. Choose one to see what the runs logged.</p>`;
  return html`
    <p class="tools">
      <label>
        Over${" "}
        <select value=${state.x} onChange=${(event) => view.change({ x: event.target.value })}>
          <option value="step">steps</option>
          <option value="time">time since the start of each run</option>
        </select>
      </label>
      <label><input type="checkbox" checked=${isLog} onChange=${(event) => setLog(event.target.checked)} /> Logarithmic</label>
      ${runs.length > MOST_RUNS && html`<span class="muted">The first ${MOST_RUNS} of ${count(runs.length)} runs are drawn.</span>`}
    </p>
    <${Shown} resource=${resource} rows=${8}>
      ${() => names.map((name, index) => html`<h3><bdi>${name}</bdi></h3>
        <${Lines}
          key=${name}
          title=${`${name} of ${count(drawn.length)} runs`}
          series=${series[index]}
          axis=${state.x === "time" ? "elapsed" : "step"}
          isLog=${isLog}
          sync="compare"
        />`)}
    <//>
  `;
}

/**
 * A metric of each run as a line of the chart; runs without a value have none. Pure.
 * @param {object[]} runs @param {Array<Record<string, object>>} answers in the order of the runs
 */
export function linesOf(runs, answers, name, axis) {
  return runs.flatMap((run, index) => {
    const series = answers[index] && Object.hasOwn(answers[index], name) ? answers[index][name] : null;
    if (!series?.n) return [];
    const start = run.startMs ?? series.time[0];
    return [{
      label: `${run.letter} ${run.differs || run.name}`,
      mark: `${run.letter} ${run.differs}`.trim(),
      colour: run.place,
      x: axis === "time" ? series.time.map((ms) => ms - start) : series.step,
      y: series.value,
      min: series.min,
      max: series.max,
    }];
  });
}

async function historiesOf(ids, names, axis, { signal, isFresh }) {
  if (!names.length) return { data: [], meta: null };
  const query = { key: names, axis, max_points: POINTS };
  const answers = await Promise.all(
    ids.map((id) => ask(`runs/${encodeURIComponent(id)}/metrics/history`, { query, signal, fresh: isFresh(id) })),
  );
  return { data: answers.map(({ data }) => data.series), meta: answers[0].meta };
}

// The metrics of which a run logged more than one value.
async function severalOf(id, names, options) {
  const several = [];
  let meta = null;
  for (let from = 0; from < names.length && !several.length; from += KEYS) {
    const query = { key: names.slice(from, from + KEYS), max_points: 1 };
    const answer = await ask(`runs/${encodeURIComponent(id)}/metrics/history`, { query, ...options });
    several.push(...Object.entries(answer.data.series).filter(([, { n }]) => n > 1).map(([name]) => name));
    ({ meta } = answer);
  }
  return { data: several, meta };
}
