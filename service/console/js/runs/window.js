// Which rows of a long table are in the document: those that are on the screen, and some around them.
import { batch, computed, effect, signal } from "@preact/signals";

export const ROW = 28; // px, as --row in the style sheet
const AROUND = 6; // rows above and below the screen
const REST = 150; // ms without scrolling after which the region is at rest
const AFTER = 50; // ms more, after which the rows stand in their order in the document

/**
 * The window on the rows of a scrolled region. Signals: first (place of its first row), size (rows), isMoving
 * (whether it is scrolled up or down right now), isHurried (whether rows on the screen go before the others), left
 * (px that it is scrolled to the right by) and settled (its first place when the scrolling ended).
 * above: px at the region's top that the head and the rows that stay cover. fixed: px at its left that the columns
 * that stay cover.
 */
export class Window {
  /** @param {number} scrollTop where it begins */
  constructor(scrollTop) {
    this.first = signal(0);
    this.size = signal(0);
    this.isMoving = signal(false);
    this.isHurried = signal(false);
    this._isPartial = computed(() => this.isMoving.value || this.isHurried.value);
    this.left = signal(0);
    this.settled = signal(0);
    this.above = 0;
    this.fixed = 0;
    this.region = null;
    this._scrollTop = scrollTop;
  }

  /** Be the window on this region, until what is returned is called. @param {HTMLElement} region */
  watch(region) {
    this.region = region;
    region.scrollTop = this._scrollTop;
    const observer = new ResizeObserver(() => this.look());
    observer.observe(region);
    // Only when it is needed, since all cells are styled anew for it.
    const end = effect(() => this.isMoving.value && region.style.setProperty("--left", `${this.left.peek()}px`));
    this.look();
    this._settle();
    return () => {
      observer.disconnect();
      end();
      clearTimeout(this._timer);
      this.isMoving.value = this.isHurried.value = false;
      this._scrollTop = this.scrollTop;
      this.region = null;
    };
  }

  /** How far the region is scrolled, or was when it was last there. */
  get scrollTop() {
    return this.region?.scrollTop ?? this._scrollTop;
  }

  /** Look where the region is scrolled to. */
  look() {
    if (!this.region) return;
    const { scrollTop, clientHeight, clientWidth } = this.region;
    const size = Math.ceil(clientHeight / ROW) + 2 * AROUND + 1;
    this._seen = { top: scrollTop, height: clientHeight, width: clientWidth };
    batch(() => {
      this.first.value = Math.max(0, Math.floor(scrollTop / ROW) - AROUND);
      if (size !== this.size.peek()) this._settle(); // all rows are drawn anew
      this.size.value = size;
    });
  }

  /** The region has been scrolled. */
  scrolled() {
    if (!this.region) return;
    const { scrollLeft } = this.region;
    batch(() => {
      this.isHurried.value = false;
      this.isMoving.value = scrollLeft === this.left.value;
      this.left.value = scrollLeft;
      this.look();
    });
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._rest(), REST);
  }

  /** Other rows are about to be drawn: those on the screen first, and the others a moment later. */
  hurry() {
    if (!this.region) return;
    this.isHurried.value = true;
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._rest(), REST);
  }

  // What it takes to be at rest is done in two frames.
  _rest() {
    this.isMoving.value = this.isHurried.value = false;
    this._timer = setTimeout(() => this._settle(), AFTER);
  }

  _settle() {
    this.settled.value = this.first.value;
  }

  /** Its first place, where there are rows at so many places. @param {number} extent */
  firstOf(extent) {
    return Math.min(this.first.value, Math.max(0, extent - this.size.value));
  }

  /**
   * Which columns are to be written in a row that is drawn now: where it has to be quick, those that are seen. The
   * row is drawn once more after that.
   * @returns {(column: {at: number, width: number, left: number | null}) => boolean}
   */
  sight() {
    if (!this._isPartial.peek()) return () => true;
    this._isPartial.value; // whoever reads it is drawn anew when it changes
    const [from, to] = [this.left.peek(), this.left.peek() + this._seen.width];
    return ({ left, at, width }) => left !== null || (at < to && at + width > from + this.fixed);
  }

  /** Whether a row is drawn a moment later, for it is not on the screen. @param {number} place */
  isLater(place) {
    return this.isHurried.peek() && !this._isSeen(place) && this.isHurried.value;
  }

  _isSeen(place) {
    const { top, height } = this._seen;
    return (place + 1) * ROW > top && place * ROW < top + height;
  }

  /** Scroll no further than it takes to see a row. @param {number} place */
  reveal(place) {
    if (!this.region) return;
    const { scrollTop, clientHeight } = this.region;
    const [top, bottom] = [place * ROW, (place + 1) * ROW];
    if (top < scrollTop) this.region.scrollTop = top;
    else if (bottom > scrollTop + clientHeight - this.above) this.region.scrollTop = bottom - clientHeight + this.above;
    this.look();
  }

  /** The places of the rows of which at least a half is on the screen. @returns {[number, number]} the last one excluded */
  shown(extent) {
    if (!this.region) return [0, 0];
    const { scrollTop, clientHeight } = this.region;
    const first = Math.round(scrollTop / ROW);
    return [first, Math.min(extent, Math.round((scrollTop + clientHeight - this.above) / ROW))];
  }
}

/**
 * The place that a slot shows. A slot is an element that shows a place for as long as it is in the window, and another
 * place after that: so nothing is put into the document while it is scrolled. Pure.
 * @param {number} slot @param {number} first place of the window @param {number} size number of slots
 */
export function placeOf(slot, first, size) {
  return first + ((slot - (first % size) + size) % size);
}

/**
 * The slots in the order in which they stand in the document, which is set right when the scrolling has ended. Pure.
 * @param {number} size number of slots @param {number} settled the first place then
 */
export function slotsOf(size, settled) {
  return Array.from({ length: size }, (_, number) => (settled + number) % size);
}
