// Parts of a page that are loaded when a reader first asks for them, so that the page itself comes sooner.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";

/**
 * A component whose module is loaded once it is wanted; until then there is nothing.
 * @param {() => Promise<object>} load imports the module @param {string} name of the component in it
 * @returns {(props: object) => any} a component; its prop `isWanted` says whether it is
 */
export function later(load, name) {
  return function Later({ isWanted, ...props }) {
    const [Part, setPart] = useState(null);
    useEffect(() => {
      if (isWanted && !Part) load().then((module) => setPart(() => module[name]));
    }, [isWanted]);
    return Part && html`<${Part} ...${props} />`;
  };
}
