// htm bound to Preact: html`<p>${text}</p>` makes a virtual node, in which every value is text, never markup.
import htm from "htm";
import { h } from "preact";

export const html = htm.bind(h);
