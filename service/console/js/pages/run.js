// The page "Run": all that is known of one run.
import { useMemo, useState } from "preact/hooks";
import { time, zone } from "../format.js";
import { html } from "../html.js";
import { Shown } from "../parts/states.js";
import { preferences } from "../preferences.js";
import { go } from "../router.js";
import { Head } from "../run/head.js";
import { History } from "../run/history.js";
import { Metrics } from "../run/metrics.js";
import { Origin } from "../run/origin.js";
import { byName, withText } from "../run/ranks.js";
import { useComparison, useLineage, usePeers, useRun, versionOf } from "../run/reading.js";
import { Params, Tags } from "../run/texts.js";
import { view } from "../run/view.js";
import { useTitle } from "../title.js";

export const styles = ["css/run.css", "css/chart.css", "css/plot.css", "vendor/uplot/uPlot.min.css"];

const METRICS = 50; // that are shown at once

/** @param {{params: URLSearchParams}} props */
export function Page({ params }) {
  const values = view.read(params);
  if (!values.id) return html`<${Question} />`;
  return html`<${Run} key=${values.id} values=${values} />`;
}

function Question() {
  useTitle("Run");
  const [text, setText] = useState("");
  const submit = (event) => {
    event.preventDefault();
    if (text.trim()) go(`run${view.query({ id: text.trim() })}`);
  };
  return html`
    <h1>Run</h1>
    <form onSubmit=${submit}>
      <p>The address names no run. Choose one of <a href="runs">the list</a>, or give its id.</p>
      <label>Run id${" "}<input value=${text} onInput=${(event) => setText(event.target.value)} /></label>${" "}
      <button>Show</button>
    </form>
  `;
}

function Run({ values }) {
  const lineage = useLineage(values.id);
  const run = useRun(values.id, lineage.data?.runs.find((one) => one.run_id === values.id)?.experiment_id);
  const name = run.data?.run_name || values.id;
  useTitle(`Run ${name}`);
  return html`
    ${!run.data && html`<h1>Run</h1>`}
    <${Shown} resource=${run} rows=${16}>
      ${(data) => html`<${Sheet} ...${{ run: data, meta: run.meta, lineage, values }} />`}
    <//>
  `;
}

const change = (values, options) => view.change(values, options);

function Sheet({ run, meta, lineage, values }) {
  const [limit, setLimit] = useState(METRICS);
  const made = lineage.data?.runs.find((one) => one.run_id === run.run_id);
  const fitting = useMemo(() => withText(byName(Object.keys(run.metrics)), values.find), [run.metrics, values.find]);
  const keys = fitting.slice(0, limit);
  const peers = usePeers({ run, experiment: made?.experiment_id, keys });
  const compared = useComparison(run.run_id, values.base, versionOf(run));
  return html`
    <article class="run">
      <header>
        <${Head}
          ...${{ run, experiment: made?.experiment_id, isDeleted: made?.deleted === true, peers: peers.data, base: values.base }}
        />
      </header>
      <div class="run-blocks">
        <div>
          <${Metrics}
            ...${{ run, keys, more: fitting.length - keys.length, find: values.find, base: values.base, peers, compared }}
            change=${change}
            showMore=${() => setLimit(limit + METRICS)}
          />
          <${History} run=${run} view=${values} change=${change} />
        </div>
        <div>
          <${Params} params=${run.params} />
          <${Origin} run=${run} lineage=${lineage} />
          <${Tags} tags=${run.tags} />
        </div>
      </div>
      <${Printed} meta=${meta} />
    </article>
  `;
}

// What a sheet of paper has to say besides: where it is from, and of when the data are.
function Printed({ meta }) {
  const { isUtc } = preferences.value;
  const at = meta ? meta.receivedAt - meta.age * 1000 : null;
  return html`<footer class="run-printed">
    <p>Data of ${time(at, isUtc)} ${zone(isUtc)}</p>
    <p>${location.href}</p>
  </footer>`;
}
