// Which rows of a long table are in the document: those that are on the screen, and some around them.
import { batch, signal } from "@preact/signals";

export const ROW = 28; // px, as --row in the style sheet
const AROUND = 6; // rows above and below the screen
const STEP = 6; // rows by which the window moves, so that not each pixel of scrolling changes the document

/**
 * The window on the rows of a scrolled region. Signals: first (place of its first row) and size (rows).
 * above: px at the region's top that the head and the rows that stay cover.
 */
export class Window {
  /** @param {number} scrollTop where it begins */
  constructor(scrollTop) {
    this.first = signal(0);
    this.size = signal(0);
    this.above = 0;
    this.region = null;
    this._scrollTop = scrollTop;
  }

  /** Be the window on this region, until what is returned is called. @param {HTMLElement} region */
  watch(region) {
    this.region = region;
    region.scrollTop = this._scrollTop;
    const observer = new ResizeObserver(() => this.look());
    observer.observe(region);
    this.look();
    return () => {
      observer.disconnect();
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
    const { scrollTop, clientHeight } = this.region;
    batch(() => {
      this.first.value = Math.max(0, Math.floor(scrollTop / ROW / STEP) * STEP - AROUND);
      this.size.value = Math.ceil(clientHeight / ROW) + 2 * AROUND + STEP;
    });
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
