// What tells the lines of a chart apart, as text, with their values.
import { html } from "../html.js";
import { hasOwnColours } from "./colours.js";
import { nearest, styleOf } from "./lines-data.js";
import { valueAt } from "./lines-text.js";

/** @typedef {import("./lines-data.js").Line} Line */

/**
 * @param {{series: Line[], at: number|null, writtenX: (x: number) => string, format: (y: any) => string}} props
 *   at: the x whose values stand beside the labels; null: the last of each line.
 */
export function Legend({ series, at, writtenX, format }) {
  const isPlain = hasOwnColours();
  return html`
    <figcaption class="chart-legend">
      <span class="muted">${at === null ? "Last values" : writtenX(at)}</span>
      <ul>
        ${series.map((line, i) => {
          const { colour, dash } = styleOf(line.colour ?? i, isPlain);
          const value = at === null ? format(line.y.at(-1)) : valueAt(line, nearest(line.x, at), format);
          return html`<li>
            <svg class=${`line-${colour}`} width="28" height="10" aria-hidden="true">
              <path d="M0 5H28" stroke="currentColor" stroke-width="2" stroke-dasharray=${dash.join(" ") || undefined} />
            </svg>${" "}
            <bdi>${line.label}</bdi>${" "}
            <b>${value}</b>
          </li>`;
        })}
      </ul>
    </figcaption>
  `;
}
