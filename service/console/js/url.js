// The state of a view in the query of its address: equal views have equal addresses.
import { go, place } from "./router.js";

/**
 * What a view keeps in the address, in the order in which it stands there.
 * Each field: {name, initial, parse?, print?}. parse reads a text, and throws or returns undefined where it is
 * none of the field's; then the field has its initial value. A field that has its initial value is left out.
 * @param {Array<{name: string, initial: any, parse?: (text: string) => any, print?: (value: any) => string}>} fields
 */
export function viewOf(fields) {
  return {
    /** The values, by name, as the address has them. */
    read(params = place.value.params) {
      return Object.fromEntries(fields.map((field) => [field.name, valueOf(field, params.get(field.name))]));
    },
    /** The query, with its "?" or "", of the view with these values in place of some. */
    query(changes = {}, params = place.value.params) {
      const values = { ...this.read(params), ...changes };
      const parts = [];
      for (const { name, initial, print = String } of fields) {
        const text = print(values[name]);
        if (text !== print(initial)) parts.push(`${encodeURIComponent(name)}=${encoded(text)}`);
      }
      return parts.length ? `?${parts.join("&")}` : "";
    },
    /** Change some values. replace: not a step for the back button. */
    change(changes, { replace = false } = {}) {
      go(`${place.value.page}${this.query(changes)}`, { replace });
    },
  };
}

/** A list of texts with commas between; a comma in a text is escaped as "\,". */
export const list = {
  parse: (text) => (text === "" ? [] : text.match(/(?:\\.|[^,\\])+/g)?.map((one) => one.replace(/\\(.)/g, "$1")) ?? []),
  print: (values) => values.map((one) => one.replace(/[\\,]/g, "\\$&")).join(","),
};

/** Yes or no. */
export const flag = { parse: (text) => text === "1", print: (value) => (value ? "1" : "0") };

function valueOf({ initial, parse = (text) => text }, text) {
  if (text === null) return initial;
  try {
    return parse(text) ?? initial;
  } catch {
    return initial;
  }
}

// As encodeURIComponent, but for what a query may have as it is (RFC 3986), so that addresses can be read.
function encoded(text) {
  return encodeURIComponent(text).replace(/%(2C|3A|2F|40)/g, decodeURIComponent);
}
