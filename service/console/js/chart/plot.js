// A plot as SVG in the width that it has: a sentence for readers, the same as a table, and a cursor on its points.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { go } from "../router.js";

const NEAR = 24; // pixels within which the pointer takes a point

/**
 * A point that the cursor can stand on, in pixels. href: where a click on it, and Enter, lead.
 * @typedef {{x: number, y: number, text: string, href?: string}} Point
 */

/**
 * A plot, with what is said of the point under the cursor below it.
 * @param {{
 *   sentence: string,
 *   height: number | ((width: number) => number),
 *   draw: (width: number, height: number, at: number | null) => {content: any, points: Point[]},
 *   table: () => any,
 *   children?: any,
 * }} props
 *   sentence: what the plot shows, for whoever cannot see it. draw: SVG elements, and the points in the cursor's order;
 *   at: the place of the one that the cursor is on. A function of two parameters is not called as the cursor moves.
 *   table: the same values as a <table>. children: a legend.
 */
export function Plot({ sentence, height, draw, table, children }) {
  const [box, width] = useWidth();
  const [isTable, setTable] = useState(false);
  const [at, setAt] = useState(null);
  const tall = typeof height === "number" ? height : height(width);
  const { content, points } = useMemo(
    () => (width && !isTable ? draw(width, tall, at) : { content: null, points: [] }),
    [draw, width, tall, isTable, draw.length > 2 && at],
  );
  const point = at === null ? undefined : points[Math.min(at, points.length - 1)];
  return html`
    <figure class="plot">
      <div ref=${box} class="plot-box">
        ${isTable
          ? html`<div class="plot-table" tabindex="0" role="group" aria-label="The plot's values">${table()}</div>`
          : html`<svg
              role="img"
              aria-label=${sentence}
              tabindex=${points.length ? "0" : undefined}
              width=${width}
              height=${tall}
              viewBox=${`0 0 ${width} ${tall}`}
              data-links=${points.some((one) => one.href)}
              onKeyDown=${(event) => step(event, points, at, setAt)}
              onPointerMove=${(event) => setAt(nearest(event, points) ?? at)}
              onClick=${(event) => follow(points[nearest(event, points)])}
            >
              ${content}
              ${point && html`<circle class="plot-cursor" cx=${point.x} cy=${point.y} r="8" />`}
            </svg>`}
      </div>
      <figcaption>
        ${children}
        <p class="plot-said">
          <span aria-live="polite">${point && html`<bdi>${point.text}</bdi>`}</span>
          ${point?.href && html`${" "}<a href=${point.href}>Open</a>`}
          ${!point && !isTable && points.length > 0 && html`<span class="muted">← and → go from dot to dot.</span>`}
        </p>
        <button type="button" class="quiet" onClick=${() => setTable(!isTable)}>
          ${isTable ? "Show as plot" : "Show as table"}
        </button>
      </figcaption>
    </figure>
  `;
}

/** The width that an element has, and has after a change. @returns {[object, number]} a ref for it, and pixels */
export function useWidth() {
  const element = useRef(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => setWidth(Math.floor(element.current.clientWidth)), []);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}

function step(event, points, at, setAt) {
  const last = points.length - 1;
  const next = {
    ArrowRight: at === null ? 0 : Math.min(last, at + 1),
    ArrowLeft: at === null ? last : Math.max(0, at - 1),
    Home: 0,
    End: last,
    Escape: null,
  };
  if (event.key === "Enter") follow(points[at]);
  else if (event.key in next) setAt(next[event.key]);
  else return;
  event.preventDefault();
}

function follow(point) {
  if (point?.href) {
    go(point.href);
    scrollTo(0, 0);
  }
}

function nearest(event, points) {
  const { left, top } = event.currentTarget.getBoundingClientRect();
  const [x, y] = [event.clientX - left, event.clientY - top];
  let [best, distance] = [undefined, NEAR ** 2];
  points.forEach((point, index) => {
    const far = (point.x - x) ** 2 + (point.y - y) ** 2;
    if (far < distance) [best, distance] = [index, far];
  });
  return best;
}
