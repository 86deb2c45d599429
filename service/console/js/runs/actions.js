// What a reader does with the table: by keys, by clicks, by buttons. All of it changes the view, or the active row.
import { signal } from "@preact/signals";
import { go } from "../router.js";
import { MOST, added, between, toggled } from "./selection.js";
import { sortedBy, sortedByNeighbour } from "./sorting.js";
import { view } from "./view.js";

const NEAR = 200; // rows before the end at which more are read

/**
 * The actions of a reader on one table. active: a signal, the place of the row that the keys act on, and whether
 * it is to get the focus. The page tells it on every drawing what is there: see `holds`.
 */
export class Actions {
  constructor(rows, shown, active = -1) {
    Object.assign(this, { rows, shown });
    this.active = signal({ place: active, isToFocus: false });
    this.anchor = active;
    this.copying = signal(false);
    this.choosing = signal(false);
    for (const name of ["clicked", "pressed", "scrolled", "sort"]) this[name] = this[name].bind(this);
  }

  /** What is shown now. */
  holds(state, columns) {
    Object.assign(this, { state, columns });
  }

  /** The active row, or undefined. */
  get row() {
    return this.rows.at(this.active.value.place);
  }

  sort(column, isFurther) {
    view.change({ sort: sortedBy(this.state.sort, column, isFurther) });
  }

  sortByNeighbour(step) {
    view.change({ sort: sortedByNeighbour(this.state.sort, this.columns, step) });
  }

  /** @returns {string[]} what is selected now: no more than can be */
  select(ids) {
    const sel = ids.slice(0, MOST);
    view.change({ sel }, { replace: true });
    return sel;
  }

  toggle(place) {
    const row = this.rows.at(place);
    if (!row) return this.state.sel;
    this.anchor = place;
    return this.select(toggled(this.state.sel, row.id));
  }

  /** Select all from where the reader began to this row. */
  extend(place) {
    const from = this.anchor < 0 ? place : this.anchor;
    return this.select(added(this.state.sel, between(this.rows, from, place)));
  }

  /** Select the first rows, and no others. @param {number} number */
  selectFirst(number) {
    this.select(between(this.rows, 0, number - 1));
  }

  setBase(id) {
    view.change({ base: id === this.state.base ? "" : id });
  }

  compare() {
    const { sel, base } = this.state;
    const ids = base && !sel.includes(base) ? [base, ...sel] : sel;
    if (ids.length < 2) return;
    const list = ids.map(encodeURIComponent).join(",");
    go(`compare?ids=${list}${base ? `&base=${encodeURIComponent(base)}` : ""}`);
  }

  /** Make another row the active one. @param {number} step rows down */
  move(step, isExtending = false) {
    const { place } = this.active.value;
    const [first] = this.shown.shown(this.rows.extent.value);
    const next = place < 0 ? first : place + step;
    if (next < 0 || next >= this.rows.extent.value) return;
    if (isExtending && this.anchor < 0) this.anchor = Math.max(place, 0);
    this.shown.reveal(next);
    this.active.value = { place: next, isToFocus: true };
    if (isExtending) this.extend(next);
    else this.anchor = next;
  }

  /** Show the first rows. */
  toTop() {
    this.shown.region.scrollTop = 0;
    this.active.value = { place: -1, isToFocus: false };
  }

  scrolled() {
    const { first, size } = this.shown;
    if (first.value + size.value > this.rows.extent.value - NEAR) this.rows.more();
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = {
      ArrowDown: () => this.move(1, event.shiftKey),
      ArrowUp: () => this.move(-1, event.shiftKey),
      " ": () => this.toggle(this.active.value.place),
      Enter: () => this.row && go(`run?id=${encodeURIComponent(this.row.id)}`),
    }[event.key];
    if (!act || this.isOfControl(event)) return;
    event.preventDefault();
    act();
  }

  // Enter and Space belong to the control that has the focus, if it knows them.
  isOfControl({ key, target }) {
    if (key === "Enter") return target.closest("a, button") !== null;
    return key === " " && target.closest("button, input") !== null;
  }

  clicked(event) {
    const tr = event.target.closest("tr[data-id]");
    if (!tr) return;
    const place = tr.dataset.place === undefined ? -1 : Number(tr.dataset.place);
    if (event.target.matches("input")) {
      const { id } = tr.dataset;
      const sel =
        place < 0 ? this.select(toggled(this.state.sel, id)) : event.shiftKey ? this.extend(place) : this.toggle(place);
      event.target.checked = sel.includes(id); // which the browser has changed already, and may not be so
    }
    if (place >= 0) this.active.value = { place, isToFocus: false };
  }
}
