// The document's title: what a page shows.
import { useLayoutEffect } from "preact/hooks";

/**
 * Name the document. Each page does so itself: what else named it could do so after the page has.
 * @param {string} text
 */
export function useTitle(text) {
  useLayoutEffect(() => {
    document.title = `${text} – Experiment Tracking`;
  }, [text]);
}
