// The choices that the filter bar offers at its caret.
import { useEffect, useState } from "preact/hooks";
import { unquoted } from "./fields.js";
import { valuesOf } from "./values.js";

const PAUSE = 80; // ms after a key before values are asked for

/**
 * The choices, and the context that they are for.
 * @param {{language: object | null, text: string, caret: number, fields: Array<object> | null, experimentIds: string[], isOpen: boolean}} props
 *   language: the module of that name, once it is there
 * @returns {{context: object, options: Array<{label: string, detail: string, insert: string, isWhole?: boolean}>}}
 *   isWhole: it takes the place of the whole text
 */
export function useChoices({ language, text, caret, fields, experimentIds, isOpen }) {
  const [offered, setOffered] = useState({ key: "", values: [] });
  const context = language?.contextAt(text, caret, fields) ?? { prefix: "" };
  const sought = unquoted(context.prefix);
  const key = isOpen && language?.wantsValues(context) ? JSON.stringify([context.field.written, sought]) : "";
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
  if (!isOpen || !language) return { context, options: [] };
  const before = text.trim() === "" ? language.lastFilters().map((one) => ({ label: one, detail: "asked before", insert: one, isWhole: true })) : [];
  // Values of a shorter text still fit, as far as they contain the longer one.
  return { context, options: [...before, ...language.choicesAt(context, fields, key ? offered.values : [])] };
}
