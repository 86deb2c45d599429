// The page "Runs": the runs of some experiments that match a filter, as a table.
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { key } from "../api.js";
import { html } from "../html.js";
import { useKeys } from "../keys.js";
import { Failure, Freshness } from "../parts/states.js";
import { Actions } from "../runs/actions.js";
import { Chooser } from "../runs/chooser.js";
import { columnsOf } from "../runs/columns.js";
import { Copying } from "../runs/copying.js";
import { orderOf } from "../runs/fields.js";
import { useFields } from "../runs/known_fields.js";
import { Rows } from "../runs/rows.js";
import { shortcutsOf } from "../runs/shortcuts.js";
import { Selected } from "../runs/selected.js";
import { Table } from "../runs/table.js";
import { Tools } from "../runs/tools.js";
import { view } from "../runs/view.js";
import { useWindow } from "../runs/window.js";

export const title = "Runs";

// What was shown when the reader went to another page: there on return, at the place where it was.
let left = { rows: new Rows(), key: "", scrollTop: 0, active: -1 };

/** @param {{params: URLSearchParams}} props */
export function Page({ params }) {
  const state = view.read(params);
  const known = useFields(state.exp);
  const fields = known.data;
  const { rows, above, shown, region, actions, columns, search } = useTable(state, fields);
  const top = state.base || (state.top && state.sel.length) ? topOf(above, state) : [];
  useKeys(useMemo(() => shortcutsOf(actions), [actions]), [actions]);
  const failure = rows.error.value ?? known.error;
  const hasRows = rows.revision.value > 0;
  return html`
    <div class="runs">
      <div class="runs-bar">
        <h1>Runs</h1>
        <input
          class="runs-filter"
          aria-label="Filter"
          value=${state.q}
          onChange=${(event) => view.change({ q: event.target.value })}
        />
      </div>
      <div class="runs-body">
        <${Tools} rows=${rows} state=${state} columns=${columns} actions=${actions} />
        ${hasRows && html`<${Freshness} meta=${rows.meta.value} error=${rows.error.value} retry=${() => rows.reload()} />`}
        ${!hasRows && failure && html`<${Failure} error=${failure} retry=${rows.error.value ? () => rows.reload() : known.reload} />`}
        ${(hasRows || !failure) && html`<${Table} rows=${rows} top=${top} columns=${columns} state=${state} shown=${shown} region=${region} actions=${actions} />`}
        <${Selected} state=${state} actions=${actions} />
      </div>
      <${Chooser} isOpen=${actions.choosing} columns=${columns} state=${state} fields=${fields} />
      <${Copying} actions=${actions} rows=${rows} columns=${columns} state=${state} search=${search} />
    </div>
  `;
}

function useTable(state, fields) {
  const rows = useMemo(() => (left.key === key.value ? left.rows : new Rows()), []);
  const above = useMemo(() => new Rows(), []);
  const region = useRef(null);
  const before = useMemo(() => (left.rows === rows ? left : { scrollTop: 0, active: -1 }), []);
  const shown = useWindow(region, before.scrollTop);
  const actions = useMemo(() => new Actions(rows, shown, before.active), []);
  const columns = useMemo(
    () => columnsOf(state, fields?.fields ?? [], fields?.total ?? 0),
    [fields, state.cols.join(), state.pin.join(), Boolean(state.base)],
  );
  actions.holds(state, columns);
  const search = useRows(rows, above, state, fields, columns);
  useLayoutEffect(
    () => () => {
      left = { rows, key: key.value, scrollTop: region.current?.scrollTop ?? 0, active: actions.active.value.place };
    },
    [],
  );
  return { rows, above, shown, region, actions, columns, search };
}

function useRows(rows, above, state, fields, columns) {
  const names = columns.map((column) => column.name);
  const numeric = new Set((fields?.fields ?? []).filter((field) => field.numeric).map((field) => field.name));
  const order = orderOf(state.sort, (name) => numeric.has(name));
  const search = { q: state.q, exp: state.exp, order, names };
  useEffect(() => {
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
  const ids = [...new Set([base, ...(top ? sel : [])])];
  return ids.map((id) => above.at(above.placeOf(id))).filter(Boolean);
}

function quoted(text) {
  return `'${text.replaceAll("'", "''")}'`;
}
