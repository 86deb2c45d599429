// Where a value stands among others, as a strip of marks.
import { number } from "../format.js";
import { html } from "../html.js";

const [WIDTH, HEIGHT, EDGE] = [140, 18, 4]; // pixels

/**
 * @param {{value: number, values: number[], sentence: string}} props values: finite, the value itself among them.
 *   sentence: what the place is in words.
 */
export function Strip({ value, values, sentence }) {
  const [low, high] = values.reduce(([least, most], one) => [Math.min(least, one), Math.max(most, one)], [value, value]);
  const x = placing(low, high);
  const label = `${sentence ? `${sentence}. ` : ""}The values reach from ${number(low)} to ${number(high)}.`;
  return html`<svg class="run-strip" width=${WIDTH} height=${HEIGHT} role="img" aria-label=${label}>
    <title>${label}</title>
    <path class="run-strip-axis" d=${`M${EDGE} ${HEIGHT / 2}H${WIDTH - EDGE}`} />
    <path class="run-strip-others" d=${marks(values.map(x))} />
    <path class="run-strip-own" d=${`M${x(value)} 1V${HEIGHT - 1}`} />
  </svg>`;
}

// From a value to its pixel; in the middle where all values are the same.
function placing(low, high) {
  if (!(high > low)) return () => WIDTH / 2;
  // Halves, for the difference of two of the largest numbers is no number.
  return (value) => EDGE + ((value / 2 - low / 2) / (high / 2 - low / 2)) * (WIDTH - 2 * EDGE);
}

// One mark a pixel, however many values there are.
function marks(places) {
  const pixels = new Set(places.map(Math.round));
  return [...pixels].map((x) => `M${x} 5V${HEIGHT - 5}`).join("");
}
