// The rows of a view: runs that are read by pages, in the server's order, and changed in place as events come.
import { batch, computed, signal } from "@preact/signals";
import { ask } from "../api.js";
import { valueOf, written } from "./fields.js";

const FIRST_PAGE = 100; // rows, which are more than a screen has
const PAGE = 1000; // rows, the most that the API sends at once
const READ_ON = 10_000; // rows that are read without being asked for, and once more near the end of those
const ALWAYS = ["run_id", "run_name", "status", "start_time", "end_time"];

/**
 * A row: its id, its values by field (undefined: the run lacks it; null: a number that is not finite), and
 * `version`, a signal that grows when something of it has changed. fate: "" as a rule, "deleted", or "left"
 * where the run has changed and does not match the filter any more.
 */
class Row {
  constructor(id, values) {
    Object.assign(this, { id, values, fate: "", version: signal(0) });
  }
}

/**
 * The rows of one view at a time. Signals: total (hits, null where nobody has counted them), loaded (rows that
 * are there), extent (rows that there are or soon will be), index, meta and error (of the last answer),
 * isWaiting (for the first rows of a view), news (number of runs that came since, and are not shown).
 */
export class Rows {
  constructor() {
    this.total = signal(null);
    this.reason = signal(null);
    this.loaded = signal(0);
    this.index = signal(null);
    this.meta = signal(null);
    this.error = signal(null);
    this.isWaiting = signal(false);
    this.isOutdated = signal(false);
    this._most = signal(READ_ON);
    this._added = signal(new Set());
    this._counted = signal(null);
    this._rows = [];
    this._places = new Map();
    this._controller = null;
    this._search = null;
    this._key = "";
    this._token = null;
    this.extent = computed(() => Math.min(this.total.value ?? this.loaded.value, Math.max(this._most.value, this.loaded.value)));
    this.news = computed(() => Math.max(this._added.value.size, (this._counted.value ?? 0) - (this.total.value ?? 0)));
  }

  /** The row at a place, or undefined where it has not been read yet. @returns {Row | undefined} */
  at(place) {
    return this._rows[place];
  }

  /** The place of a run, or -1. @param {string} id */
  placeOf(id) {
    return this._places.get(id) ?? -1;
  }

  /**
   * Read a view. What is shown stays until the first rows are there; where nothing but the columns has changed,
   * the rows stay and get their new values page by page.
   * @param {{q: string, exp: string[], order: string, names: string[]}} search order: as the API takes it.
   *   names: of the fields
   */
  async load(search) {
    this._controller?.abort();
    const controller = new AbortController();
    this._controller = controller;
    this._search = search;
    this.isWaiting.value = true;
    const key = JSON.stringify([search.q, search.exp, search.order]);
    try {
      const page = await this._page("", FIRST_PAGE, controller.signal);
      batch(() => {
        this._begin(key === this._key, page);
        this._key = key;
        this._take(0, page);
      });
      await this._readOn(controller, page.count);
    } catch (error) {
      this._fail(error);
    } finally {
      if (this._controller === controller) this.isWaiting.value = false;
    }
  }

  /** The same view once more, with what has come since. */
  reload() {
    this._key = "";
    return this.load(this._search);
  }

  /** More rows, for whoever has come near to the end of those that there are. */
  async more() {
    if (this.extent.value > this._most.value || this._token === null) return;
    this._most.value += READ_ON;
    const controller = this._controller;
    try {
      await this._readOn(controller, this.loaded.value);
    } catch (error) {
      this._fail(error);
    }
  }

  /** A change, as the events say it: see the API's /events. @param {{event: string, data: object}} change */
  apply({ event, data }) {
    batch(() => {
      if (event === "snapshot") {
        this.index.value = data.index;
        this._counted.value = data.total;
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
      if (event !== "run.deleted" && matches) this._added.value = new Set([...this._added.value, runId]);
      else if (this._added.value.has(runId)) this._added.value = new Set([...this._added.value].filter((one) => one !== runId));
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

  async _readOn(controller, from) {
    let place = from;
    while (this._token !== null && place < this._most.value) {
      const page = await this._page(this._token, PAGE, controller.signal);
      batch(() => this._take(place, page));
      place += page.count;
    }
  }

  async _page(token, size, aborted) {
    const { q, exp, order, names } = this._search;
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
    const { data, meta } = await ask("runs/search", { query, signal: aborted });
    return { ...data, meta, names: all, count: data.columns.run_id.length };
  }

  _begin(isSame, page) {
    if (!isSame) {
      this._rows = [];
      this._places = new Map();
      this._most.value = READ_ON;
    }
    this.error.value = null;
    this.isOutdated.value = false;
    this._added.value = new Set();
    this._counted.value = null;
    this.total.value = page.total;
    this.reason.value = page.reason;
  }

  _take(from, page) {
    for (let place = 0; place < page.count; place++) {
      const values = {};
      for (const name of page.names) {
        const value = page.columns[name][place];
        values[name] = value ?? (page.not_finite?.[name]?.includes(place) ? null : undefined);
      }
      this._put(from + place, values);
    }
    this._token = page.next_page_token;
    this.meta.value = page.meta;
    this.index.value = page.index;
    this.error.value = null;
    if (this._token === null) this._rows.length = from + page.count;
    this.loaded.value = Math.max(this._rows.length, from + page.count);
  }

  _put(place, values) {
    const old = this._rows[place];
    if (old?.id === values.run_id) {
      old.values = values;
      old.fate = "";
      old.version.value += 1;
      return;
    }
    if (old && this._places.get(old.id) === place) this._places.delete(old.id);
    this._rows[place] = new Row(values.run_id, values);
    this._places.set(values.run_id, place);
  }

  _fail(error) {
    if (error.name === "AbortError") return;
    if (error.name !== "ApiError") throw error;
    this.error.value = error;
  }
}
