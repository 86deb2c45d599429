// The choices that the filter bar offers at its caret.
import { useEffect, useState } from "preact/hooks";
import { choicesAt, contextAt, wantsValues } from "./complete.js";
import { unquoted } from "./fields.js";
import { lastFilters } from "./history.js";
import { valuesOf } from "./values.js";

const PAUSE = 80; // ms after a key before values are asked for

/**
 * The choices, and the context that they are for.
 * @param {{text: string, caret: number, fields: Array<object> | null, experimentIds: string[], isOpen: boolean}} props
 * @returns {{context: object, options: Array<{label: string, detail: string, insert: string, isWhole?: boolean}>}}
 *   isWhole: it takes the place of the whole text
 */
export function useChoices({ text, caret, fields, experimentIds, isOpen }) {
  const [offered, setOffered] = useState({ key: "", values: [] });
  const context = contextAt(text, caret, fields);
  const sought = unquoted(context.prefix);
  const key = isOpen && wantsValues(context) ? JSON.stringify([context.field.written, sought]) : "";
  useEffect(() => {
    if (!key) return undefined;
    const controller = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const values = await valuesOf(context.field, sought, { experimentIds, signal: controller.signal });
        setOffered({ key, values });
      } catch (error) {
        if (error.name !== "AbortError") throw error;
      }
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [key, experimentIds.join(",")]);
  if (!isOpen) return { context, options: [] };
  const before = text.trim() === "" ? lastFilters().map((one) => ({ label: one, detail: "asked before", insert: one, isWhole: true })) : [];
  // Values of a shorter text still fit, as far as they contain the longer one.
  return { context, options: [...before, ...choicesAt(context, fields, key ? offered.values : [])] };
}
