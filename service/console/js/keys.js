// Single-key shortcuts. They can be switched off (WCAG 2.1.4), and do nothing while somebody types.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { preferences } from "./preferences.js";

/** The shortcuts of what is shown now: [{key, text, run}]. */
export const shortcuts = signal([]);

/**
 * Shortcuts for as long as the component is shown.
 * @param {Array<{key: string, text: string, run: (event: KeyboardEvent) => void}>} list
 *   key: as KeyboardEvent.key. text: what it does, for the list of shortcuts. run: none where it is listed only,
 *   since something else listens to it.
 * @param {Array<any>} depends
 */
export function useKeys(list, depends) {
  useEffect(() => {
    shortcuts.value = [...shortcuts.value, ...list];
    return () => {
      shortcuts.value = shortcuts.value.filter((one) => !list.includes(one));
    };
  }, depends);
}

/** Listen to the keyboard. To be called once. */
export function listen() {
  addEventListener("keydown", (event) => {
    if (!preferences.value.shortcuts || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target)) return;
    const shortcut = shortcuts.value.findLast((one) => one.key === event.key);
    if (!shortcut?.run) return;
    event.preventDefault();
    shortcut.run(event);
  });
}

function isTyping(element) {
  return element.isContentEditable || element.matches?.("input:not([type=checkbox]), textarea, select, dialog *");
}
