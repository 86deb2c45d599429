// The rows of a view: runs that are read by pages, in the server's order, and changed in place as events come.
import { batch, computed, signal } from "@preact/signals";
import { ask } from "../api.js";
import { valueOf, written } from "./fields.js";

const FIRST_PAGE = 100; // rows, which are more than a screen has
const PAGE = 1000; // rows, the most that the API sends at once
const READ_ON = 10_000; // rows that are read without being asked for, and once more near the end of those
const HIDDEN = 200; // ms: a tab that is hidden has no frames
const ACTIVE = ["RUNNING", "SCHEDULED"];
const ALWAYS = ["run_id", "run_name", "status", "start_time", "end_time"];

/**
 * A row: its id, its values by field (undefined: the run lacks it; null: a number that is not finite), and
 * `version`, a signal that grows when something of it has changed. fate: "" as a rule, "deleted", or "left"
 * where the run has changed and does not match the filter any more.
 */
export class Row {
  constructor(id, values) {
    Object.assign(this, { id, values, fate: "", version: signal(0) });
  }
}

/**
 * The rows of one view at a time. Signals: total (hits, null where nobody has counted them), loaded (rows that
 * are there), extent (rows that there are or soon will be), index, meta and error (of the last answer),
 * isWaiting (for the first rows of a view), news (number of runs that came since, and are not shown), isOutdated
 * (too many changes were missed), revision (grows when rows at their places are others), begun (grows when the
 * first rows of a view are there).
 */
export class Rows {
  constructor() {
    for (const name of ["total", "index", "meta", "error"]) this[name] = signal(null);
    for (const name of ["loaded", "revision", "begun"]) this[name] = signal(0);
    for (const name of ["isWaiting", "isOutdated"]) this[name] = signal(false);
    this._most = signal(READ_ON);
    this._added = signal(new Set());
    this._counted = signal(null);
    this._rows = [];
    this._places = new Map();
    this._heard = new Set(); // of each page that is asked for, the changes that came since
    this._latest = null; // the reading that was asked for last
    this._current = null; // the reading whose pages are coming
    this.extent = computed(() => {
      const loaded = this.loaded.value;
      return Math.min(this.total.value ?? loaded, Math.max(this._most.value, loaded));
    });
    this.news = computed(() => {
      const counted = this._counted.value === null ? 0 : this._counted.value - (this.total.value ?? 0);
      return Math.max(this._added.value.size, counted);
    });
  }

  /** The row at a place, or undefined where it has not been read yet. @returns {Row | undefined} */
  at(place) {
    return this._rows[place];
  }

  /** The place of a run, or -1. @param {string} id */
  placeOf(id) {
    return this._places.get(id) ?? -1;
  }

  /** Whether these are the rows of a search already, or soon will be. */
  has(search) {
    return this.error.value === null && JSON.stringify(search) === JSON.stringify(this._latest?.search);
  }

  /**
   * Read a view. What is shown stays until the first rows are there; where nothing but the columns has changed,
   * the rows stay and get their new values page by page.
   * @param {{q: string, exp: string[], order: string, names: string[]}} search order: as the API takes it.
   *   names: of the fields
   */
  async load(search) {
    const key = JSON.stringify([search.q, search.exp, search.order]);
    const reading = { search, key, controller: new AbortController(), token: null, next: 0, first: null, isOn: false };
    this._latest = reading;
    this.isWaiting.value = true;
    // The same rows with fewer columns are worth waiting for: they are shown first.
    if (this._current?.key === key) await this._current.first;
    if (this._latest !== reading) return;
    this._current?.controller.abort();
    const isSame = this._current?.key === key;
    this._current = reading;
    reading.first = this._attempt(() => this._begin(reading, isSame));
    await reading.first;
    if (this._latest === reading) this.isWaiting.value = false;
    await aFrame(); // the first rows are shown before others take time
    await this._readOn(reading);
  }

  /** The same view once more, with what has come since. */
  reload() {
    return this.load(this._latest.search);
  }

  /** More rows, for whoever has come near to the end of those that there are. */
  async more() {
    if (this._current.token === null || this.loaded.value < this._most.value) return;
    this._most.value += READ_ON;
    await this._readOn(this._current);
  }

  /** A change, as the events say it: see the API's /events. @param {{event: string, data: object}} change */
  apply(change) {
    for (const heard of this._heard) heard.push(change);
    this._apply(change);
  }

  _apply({ event, data }) {
    batch(() => {
      if (event === "snapshot") {
        this.index.value = data.index;
        this._counted.value = data.total;
        this._lookAgain();
      } else if (event === "reset") {
        this.isOutdated.value = true;
      } else if (event.startsWith("run.")) {
        this._change(event, data);
      }
    });
  }

  _change(event, { run, matches, run_id: runId = run?.run_id }) {
    const row = this._rows[this.placeOf(runId)];
    if (!row) {
      const added = new Set(this._added.value);
      if (event !== "run.deleted" && matches) added.add(runId);
      else added.delete(runId);
      this._added.value = added;
      return;
    }
    if (event === "run.deleted") {
      row.fate = "deleted";
    } else {
      row.fate = matches ? "" : "left";
      for (const name of Object.keys(row.values)) row.values[name] = valueOf(run, name);
    }
    row.version.value += 1;
  }

  // Runs that were active may have changed between their reading and the first event.
  async _lookAgain() {
    const ids = this._rows.filter((row) => ACTIVE.includes(row.values.status)).map((row) => `'${row.id}'`);
    if (!ids.length) return;
    const search = { ...this._latest.search, q: `run_id IN (${ids.slice(0, FIRST_PAGE).join(", ")})` };
    const { controller } = this._current;
    await this._attempt(() =>
      this._page({ search, token: null, controller }, FIRST_PAGE, (page) => {
        for (const values of valuesOf(page)) {
          const place = this.placeOf(values.run_id);
          if (place >= 0) this._put(place, values);
        }
      }),
    );
  }

  async _begin(reading, isSame) {
    await this._page(reading, FIRST_PAGE, (page) => {
      if (!isSame) {
        this._rows = [];
        this._places = new Map();
        this._most.value = READ_ON;
      }
      this.isOutdated.value = false;
      this._added.value = new Set();
      this._counted.value = null;
      this.total.value = page.total;
      this._take(reading, page);
      this.begun.value += 1;
    });
  }

  async _readOn(reading) {
    if (reading.isOn) return; // it goes on until there are as many as there are to be
    reading.isOn = true;
    await this._attempt(async () => {
      while (reading.token !== null && reading.next < this._most.value) {
        await this._page(reading, PAGE, (page) => this._take(reading, page));
      }
    });
    reading.isOn = false;
  }

  // A change that came while a page was on its way may be newer than the page, and is applied once more.
  async _page(reading, size, take) {
    const heard = [];
    this._heard.add(heard);
    try {
      const page = await pageOf(reading, size);
      batch(() => {
        take(page);
        for (const change of heard) this._apply(change);
      });
    } finally {
      this._heard.delete(heard);
    }
  }

  _take(reading, page) {
    const { next_page_token: token, meta, index } = page;
    for (const values of valuesOf(page)) this._put(reading.next++, values);
    this._added.value = new Set([...this._added.value].filter((id) => !this._places.has(id)));
    reading.token = token;
    if (token === null) this._rows.length = reading.next;
    this.loaded.value = this._rows.length;
    this.revision.value += 1;
    this.meta.value = meta;
    this.index.value = index;
    this.error.value = null;
  }

  _put(place, values) {
    const old = this._rows[place];
    if (old?.id === values.run_id) {
      old.values = { ...old.values, ...values };
      old.fate = "";
      old.version.value += 1;
      return;
    }
    if (old && this._places.get(old.id) === place) this._places.delete(old.id);
    this._rows[place] = new Row(values.run_id, values);
    this._places.set(values.run_id, place);
  }

  async _attempt(act) {
    try {
      await act();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error.name !== "ApiError") throw error;
      this.error.value = error;
    }
  }
}

// Until what has changed is painted, or would be if somebody looked.
function aFrame() {
  return new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, HIDDEN);
  });
}

async function pageOf({ search: { q, exp, order, names }, token, controller }, size) {
  const all = [...new Set([...ALWAYS, ...names])];
  const query = {
    format: "columns",
    filter: q,
    experiment_id: exp.join(","),
    order_by: order,
    fields: all.map(written).join(","),
    page_size: size,
    page_token: token,
  };
  const { data, meta } = await ask("runs/search", { query, signal: controller.signal });
  controller.signal.throwIfAborted();
  return { ...data, meta, names: all };
}

// The values of each run of a page.
function valuesOf({ names, columns, not_finite: notFinite = {} }) {
  const rows = columns.run_id.map(() => ({}));
  for (const name of names) {
    for (const [place, value] of columns[name].entries()) rows[place][name] = value ?? undefined;
    for (const place of notFinite[name] ?? []) rows[place][name] = null;
  }
  return rows;
}
