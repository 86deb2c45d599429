// Modules that are loaded when they are wanted, so that the first page has less to load.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { html } from "./html.js";

/**
 * A module that is loaded once somebody wants it.
 * @param {() => Promise<object>} load such as () => import("./x.js")
 * @returns {{now: object | null, isLost: boolean, want: () => void}} now: the module, once it is there; a component
 *   that reads it is drawn again then. isLost: it could not be loaded; who wants it again tries again.
 */
export function later(load) {
  const module = signal(null);
  const isLost = signal(false);
  let isAsked = false;
  return {
    get now() {
      return module.value;
    },
    get isLost() {
      return isLost.value;
    },
    async want() {
      if (isAsked) return;
      isAsked = true;
      try {
        module.value = await load();
        isLost.value = false;
      } catch {
        isAsked = false;
        isLost.value = true;
      }
    },
  };
}

/** A component of a module that is loaded when it is first shown. @param {object} module of `later` @param {string} name */
export function componentOf(module, name) {
  return function Later(props) {
    useEffect(() => {
      module.want();
    }, []);
    if (module.isLost) return html`<p class="wrong">${LOST}</p>`;
    return module.now && html`<${module.now[name]} ...${props} />`;
  };
}

/** What a reader is told where a module could not be loaded. */
export const LOST = "A part of the console could not be loaded; load the page again.";
