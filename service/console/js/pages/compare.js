// The page "Comparison": 2 to 100 runs side by side, differences from a baseline, and plots over the runs.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Copying } from "../compare/copying.js";
import { fieldsOf } from "../compare/fields.js";
import { activeOf, analysed, headsOf, renewed } from "../compare/load.js";
import { comparisonInMlflow } from "../compare/mlflow.js";
import { runsOf } from "../compare/runs.js";
import { Add, Missing, TooFew, TooMany } from "../compare/states.js";
import { Table, entriesOf } from "../compare/table.js";
import { SORT_NAMES, Tools, transpose } from "../compare/tools.js";
import { FEWEST, MOST, baselineFirst, distinct, moved, view, without } from "../compare/view.js";
import { Warnings } from "../compare/warnings.js";
import { count } from "../format.js";
import { html } from "../html.js";
import { useKeys } from "../keys.js";
import { useLooks } from "../live/looks.js";
import { Shown } from "../parts/states.js";
import { useResource } from "../resource.js";
import { useTitle } from "../title.js";

export const styles = [
  "css/compare.css",
  "css/compare-plots.css",
  "css/chart.css",
  "css/plot.css",
  "vendor/uplot/uPlot.min.css",
];

const NO_HEADS = new Map();
const NOTHING = { isOn: false, ids: [], experimentIds: [], hasFailed: false };
const SKELETON = 16; // rows

/** @param {{params: URLSearchParams}} props */
export function Page({ params }) {
  useTitle("Comparison");
  const state = view.read(params);
  const ids = distinct(state.ids);
  if (ids.length < FEWEST) return html`<${TooFew} ids=${ids} />`;
  if (ids.length > MOST) return html`<${TooMany} ids=${ids} />`;
  return html`<${Asked} state=${{ ...state, ids }} />`;
}

function Asked({ state }) {
  const [active, setActive] = useState(NOTHING);
  const look = useLooks(active);
  const { ids, base } = state;
  const key = [...ids].sort().join();
  const analysis = useResource(
    async (signal, fresh) => {
      if (!fresh) await renewed(look.ids, signal);
      return analysed(ids, base, [], { signal, fresh });
    },
    [key, ids.includes(base) ? base : ids[0], look.number],
  );
  const heads = useResource(async (signal, fresh) => {
    // Those that do not exist are left out by then.
    return headsOf(analysis.data?.ids ?? [], { signal, fresh });
  }, [analysis.data?.ids.join(), look.number]);
  useEffect(() => {
    const active = activeOf(heads.data ?? NO_HEADS);
    // One of the two answers may know of an end before the other one does.
    const isOn = active.ids.length > 0 || isAnyActive(analysis.data?.analysis);
    setActive({ ...active, isOn, hasFailed: (analysis.error ?? heads.error) !== null });
  }, [analysis.data, heads.data, analysis.error, heads.error]);
  return html`
    ${!analysis.data && html`<h1>Comparison</h1>`}
    <${Shown} resource=${analysis} rows=${SKELETON}>
      ${({ analysis: found, ids: existing, missing }) =>
        found
          ? html`<${Comparison} analysis=${found} missing=${missing} state=${state} existing=${existing} heads=${heads.data ?? NO_HEADS} fault=${heads.error} look=${look} receivedAt=${analysis.meta?.receivedAt} />`
          : html`<${TooFew} ids=${existing} missing=${missing} />`}
    <//>
  `;
}

function Comparison({ analysis, missing, existing, heads, fault, state, look, receivedAt }) {
  const runs = useMemo(() => {
    const asked = state.ids.filter((id) => existing.includes(id));
    const shown = baselineFirst(asked.includes(analysis.baseline) ? asked : existing, analysis.baseline);
    return runsOf(shown, state.ids.includes(analysis.baseline) ? state.ids : existing, analysis, heads);
  }, [analysis, heads, state.ids.join(), existing]);
  const fields = useMemo(() => fieldsOf(analysis), [analysis]);
  const entries = useMemo(
    () => entriesOf(fields, state),
    [fields, state.find, state.sort, state.diff, state.equal.join()],
  );
  const act = useAct(state, analysis.baseline);
  const open = (kind) =>
    view.change({ equal: state.equal.includes(kind) ? state.equal.filter((one) => one !== kind) : [...state.equal, kind] });
  useKeys(
    [
      { key: "b", text: "Make the run under the pointer or the focus the baseline, or else the next one", run: () => act("base", pointedAt(runs)) },
      { key: "d", text: "Show only differences, or everything", run: () => view.change({ diff: !state.diff }) },
      { key: "y", text: "Copy the comparison", run: () => setCopying(true) },
      { key: "t", text: "Show runs as rows, or as columns", run: () => transpose(state) },
    ],
    [runs, state],
  );
  const [isCopying, setCopying] = useState(false);
  const inMlflow = comparisonInMlflow(document.querySelector("meta[name=mlflow-url]")?.content ?? "", runs);
  const shown = entries.filter((one) => one.field).map(({ field }) => field);
  return html`
    <div class="compare">
      <header>
        <h1>Comparison of ${count(runs.length)} runs</h1>
        <${Add} ids=${state.ids} />
        ${inMlflow && html`<a href=${inMlflow} target="_blank" rel="noreferrer">The same in MLflow</a>`}
      </header>
      ${missing.length > 0 && html`<${Missing} missing=${missing} state=${state} />`}
      ${fault && html`<p class="stale">The names and the status of the runs are not known. ${fault.detail}</p>`}
      <${Warnings} warnings=${analysis.warnings} runs=${runs} />
      <${Tools} state=${state}><button type="button" onClick=${() => setCopying(true)}>Copy</button><//>
      <p class="visually-hidden" role="status">
        ${count(shown.length)} fields of ${count(runs.length)} runs, metrics ${SORT_NAMES[state.sort]}; the baseline is ${runs[0].letter}, ${runs[0].name || runs[0].id}.
      </p>
      ${shown.length === 0 && state.find && html`<p>No field has “<bdi>${state.find}</bdi>” in its name.</p>`}
      <${Table} entries=${entries} runs=${runs} state=${state} act=${act} open=${open} />
      <${Copying} isOpen=${isCopying} close=${() => setCopying(false)} fields=${shown} runs=${runs} isTransposed=${state.rows === "runs"} />
      <${Later} runs=${runs} fields=${fields} state=${state} look=${look} receivedAt=${receivedAt} />
    </div>
  `;
}

// The plots are loaded when the table is there, which is read first.
function Later(props) {
  const [Plots, setPlots] = useState(null);
  const [isLost, setLost] = useState(false);
  useEffect(() => {
    import("../compare/plots.js").then(
      (module) => setPlots(() => module.Plots),
      () => setLost(true),
    );
  }, []);
  if (isLost) return html`<p class="stale">The plots could not be loaded; load the page again.</p>`;
  return Plots && html`<${Plots} ...${props} />`;
}

// What the buttons of a run do. The focus stays with the run: a button that moves or ends as the last one loses it.
function useAct(state, baseline) {
  const pressed = useRef(null);
  useLayoutEffect(() => {
    if (!pressed.current) return;
    const active = document.activeElement;
    if (active && active !== document.body && !active.disabled) return;
    const { what, id } = pressed.current;
    const head = [...document.querySelectorAll("th[data-run]")].find((one) => one.dataset.run === id);
    (head?.querySelector(`[data-act="${what}"]:not(:disabled)`) ?? head?.querySelector("a"))?.focus();
  });
  return (what, run) => {
    const isFocused = document.activeElement?.dataset.act === what;
    pressed.current = isFocused ? { what, id: run.id } : null;
    if (what === "base") view.change({ base: run.id });
    if (what === "earlier") view.change({ ids: moved(state.ids, baseline, run.id, -1) });
    if (what === "later") view.change({ ids: moved(state.ids, baseline, run.id, 1) });
    if (what === "remove") view.change(without(state, [run.id]));
  };
}

function pointedAt(runs) {
  const cell = document.activeElement?.closest("[data-run]") ?? document.querySelector("[data-run]:hover");
  return runs.find((run) => run.id === cell?.dataset.run && !run.isBaseline) ?? runs[1];
}

function isAnyActive(analysis) {
  return analysis?.warnings.some(({ code }) => code === "not_finished") ?? false;
}
