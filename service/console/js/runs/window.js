// Which rows of a long table are in the document: those that are on the screen, and some around them.
import { batch, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

export const ROW = 28; // px, as --row in the style sheet
const AROUND = 6; // rows above and below the screen
const STEP = 6; // rows by which the window moves, so that not each pixel of scrolling changes the document

/**
 * The window on the rows of a scrolled region. Signals: first (place of its first row) and size (rows).
 * above: px at the region's top that the head and the rows that stay cover.
 */
class Window {
  constructor() {
    this.first = signal(0);
    this.size = signal(0);
    this.above = 0;
    this.region = null;
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
    const { scrollTop, clientHeight } = this.region;
    const [top, bottom] = [place * ROW, (place + 1) * ROW];
    if (top < scrollTop) this.region.scrollTop = top;
    else if (bottom > scrollTop + clientHeight - this.above) this.region.scrollTop = bottom - clientHeight + this.above;
    this.look();
  }

  /** The places of the rows of which at least a half is on the screen. @returns {[number, number]} the last one excluded */
  shown(extent) {
    const { scrollTop, clientHeight } = this.region;
    const first = Math.round(scrollTop / ROW);
    return [first, Math.min(extent, Math.round((scrollTop + clientHeight - this.above) / ROW))];
  }
}

/** The window on a region. @param {{current: HTMLElement}} region @param {number} scrollTop where it begins */
export function useWindow(region, scrollTop) {
  const shown = useMemo(() => new Window(), []);
  useEffect(() => {
    shown.region = region.current;
    region.current.scrollTop = scrollTop;
    const observer = new ResizeObserver(() => shown.look());
    observer.observe(region.current);
    shown.look();
    return () => observer.disconnect();
  }, []);
  return shown;
}
