// The page "Runs": the runs of some experiments that match a filter, as a table.
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { key } from "../api.js";
import { filterOf } from "../filter/choices.js";
import { html } from "../html.js";
import { useKeys } from "../keys.js";
import { componentOf, later } from "../later.js";
import { Failure, Freshness } from "../parts/states.js";
import { Actions } from "../runs/actions.js";
import { Bar, change } from "../runs/bar.js";
import { useChanges } from "../runs/changes.js";
import { columnsOf, namesOf } from "../runs/columns.js";
import { isNotReady, isOfFilter } from "../runs/errors.js";
import { orderOf } from "../runs/fields.js";
import { useFields } from "../runs/known_fields.js";
import { Rows } from "../runs/rows.js";
import { shortcutsOf } from "../runs/shortcuts.js";
import { ON_TOP, Selected } from "../runs/selected.js";
import { Table } from "../runs/table.js";
import { Tools } from "../runs/tools.js";
import { view } from "../runs/view.js";
import { Window } from "../runs/window.js";
import { useTitle } from "../title.js";

export const styles = ["css/runs.css", "css/runs-dialogs.css", "css/filter.css", "css/runs-print.css"];

const Chooser = componentOf(later(() => import("../runs/chooser.js")), "Chooser");
const Copying = componentOf(later(() => import("../runs/copying.js")), "Copying");
const nothing = later(() => import("../runs/nothing.js"));
const Nothing = componentOf(nothing, "Nothing");
const NotReady = componentOf(nothing, "NotReady");
const Printed = componentOf(later(() => import("../runs/printed.js")), "Printed");
const Facets = componentOf(later(() => import("../runs/facets.js")), "Facets");

const NO_FIELDS = [];
// What was shown when the reader went to another page: there on return, at the place where it was.
const NOTHING = { rows: null, fields: undefined, exp: "", key: "", scrollTop: 0, active: -1 };
let left = NOTHING;

/** @param {{params: URLSearchParams}} props */
export function Page({ params }) {
  useTitle("Runs");
  const state = view.read(params);
  const { known, fields, rows, above, shown, actions, columns, search } = useTable(state);
  const { live, version } = useChanges(rows, above, state);
  const top = state.base || (state.top && state.sel.length) ? topOf(above, state) : [];
  useKeys(useMemo(() => shortcutsOf(actions), [actions]), [actions]);
  const failure = rows.error.value ?? known.error;
  const retry = rows.error.value ? () => rows.reload() : known.reload;
  const hasRows = rows.revision.value > 0;
  const isEmpty = hasRows && (rows.total.value ?? rows.loaded.value) === 0;
  return html`
    <div class="runs">
      <${Printed} rows=${rows} columns=${columns} state=${state} />
      <${Bar} state=${state} fields=${fields?.fields ?? null} error=${rows.error.value} live=${live} />
      <div class="runs-columns">
        <section class="facets" aria-label="Facets">
          <${Facets} state=${state} onChange=${change} version=${version} />
        </section>
        <div class="runs-body">
          <${Tools} rows=${rows} state=${state} columns=${columns} actions=${actions} />
          ${hasRows && html`<${Freshness} meta=${rows.meta.value} error=${isOfFilter(rows.error.value) ? null : rows.error.value} retry=${() => rows.reload()} />`}
          ${!hasRows && failure && html`<${Instead} error=${failure} retry=${retry} />`}
          ${isEmpty && html`<${Nothing} state=${state} />`}
          ${!isEmpty && (hasRows || !failure) &&
          html`<${Table} rows=${rows} top=${top} columns=${columns} state=${state} shown=${shown} actions=${actions} />`}
          <${Selected} state=${state} actions=${actions} />
        </div>
      </div>
      ${actions.choosing.value && html`<${Chooser} isOpen=${actions.choosing} columns=${columns} state=${state} fields=${fields} />`}
      ${actions.copying.value &&
      html`<${Copying} actions=${actions} rows=${rows} columns=${columns} state=${state} search=${search} />`}
    </div>
  `;
}

// What stands in place of the rows where there are none because something went wrong.
function Instead({ error, retry }) {
  if (isOfFilter(error)) return html`<p class="muted">No rows: the filter above cannot be read.</p>`;
  return html`<${isNotReady(error) ? NotReady : Failure} error=${error} retry=${retry} />`;
}

function useTable(state) {
  const exp = state.exp.join();
  const before = useMemo(() => (left.key === key.value && left.exp === exp ? left : NOTHING), []);
  const rows = useMemo(() => before.rows ?? new Rows(), []);
  const above = useMemo(() => new Rows(), []);
  const known = useFields(state.exp, rows.index.value?.complete === false);
  const fields = known.data ?? before.fields;
  const shown = useMemo(() => new Window(before.scrollTop), []);
  const actions = useMemo(() => new Actions(rows, shown, before.active), []);
  const all = fields?.fields ?? NO_FIELDS;
  const names = useMemo(() => namesOf(state, all, fields?.total ?? 0), [fields, state.cols.join(), state.sort.join()]);
  // The same ones for as long as they are the same, for all rows are drawn anew for others.
  const columns = useMemo(() => columnsOf(names, state, all), [fields, names.join(), state.pin.join(), Boolean(state.base)]);
  actions.holds(state, columns);
  useLayoutEffect(() => rows.begun.subscribe(() => shown.hurry()), []);
  const search = useRows(rows, above, state, fields, columns);
  // Not on each drawing: to ask how far the table is scrolled makes the browser lay it out at once.
  const leave = useRef(null);
  leave.current = () => {
    left = { rows, fields, exp, key: key.value, scrollTop: shown.scrollTop, active: actions.active.value.place };
  };
  useLayoutEffect(() => () => leave.current(), []);
  return { known, fields, rows, above, shown, actions, columns, search };
}

function useRows(rows, above, state, fields, columns) {
  const names = columns.map((column) => column.name);
  const numeric = new Set((fields?.fields ?? []).filter((field) => field.numeric).map((field) => field.name));
  const order = orderOf(state.sort, (name) => numeric.has(name));
  const search = { q: filterOf(state), exp: state.exp, order, names };
  useLayoutEffect(() => {
    if (!rows.has(search)) rows.load(search);
  }, [JSON.stringify(search)]);
  const ids = [...new Set([state.base, ...(state.top ? state.sel : [])])].filter(Boolean);
  useEffect(() => {
    if (ids.length) above.load({ ...search, q: `run_id IN (${ids.map(quoted).join(", ")})`, order: "start_time desc" });
  }, [ids.join(), state.exp.join(), names.join()]);
  return search;
}

function topOf(above, { base, sel, top }) {
  above.revision.value; // it may have others now
  const ids = [...new Set([base, ...(top ? sel.slice(0, ON_TOP) : [])])];
  return ids.map((id) => above.at(above.placeOf(id))).filter(Boolean);
}

function quoted(text) {
  return `'${text.replaceAll("'", "''")}'`;
}
