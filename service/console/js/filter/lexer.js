// A filter, cut into tokens as the service cuts it. What is no token for the service is one here, too, since a
// filter is looked at while it is typed: a quote that is not closed yet, characters of a name of a run. Pure.

const DOUBLE = String.raw`"(?:[^"]|"")*`;
const BACKTICK = "`(?:[^`]|``)*";
const WORD = String.raw`[\p{L}\p{N}_]`;
const FORMS = [
  ["space", String.raw`\s+`],
  ["number", String.raw`[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\p{L}\p{N}_./-])`],
  ["field", `(?:${WORD}+|\`${WORD}+\`)\\.(?:${DOUBLE}"|${BACKTICK}\`)|\`${WORD}+\`\\.${WORD}[\\p{L}\\p{N}_./-]*`],
  ["openField", `${WORD}+\\.(?:${DOUBLE}|${BACKTICK})$`],
  ["word", String.raw`[\p{L}\p{N}_][\p{L}\p{N}_./-]*`],
  ["text", "'(?:[^']|'')*'"],
  ["double", `${DOUBLE}"`],
  ["backtick", `${BACKTICK}\``],
  ["openText", "['\"`][^]*$"],
  ["operator", "[<>=!]+"],
  ["open", String.raw`\(`],
  ["close", String.raw`\)`],
  ["comma", ","],
  ["other", "[^\\s'\"`<>=!(),\\p{L}\\p{N}_]+"],
];
const TOKEN = new RegExp(FORMS.map(([kind, form]) => `(?<${kind}>${form})`).join("|"), "uy");

/**
 * The tokens of a filter without its white space.
 * @param {string} text
 * @returns {Array<{kind: string, text: string, start: number, end: number}>} start, end: in UTF-16 units.
 *   kind: number, field (with a key in quotes), word, text, double, backtick, operator, open, close, comma; and
 *   what the service does not take: openField and openText (quotes that are not closed), other.
 */
export function tokensOf(text) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const kind = FORMS.find(([name]) => match.groups[name] !== undefined)[0];
    if (kind !== "space") tokens.push({ kind, text: match[0], start: match.index, end: match.index + match[0].length });
  }
  return tokens;
}

/** Whether a token is one of these words, in any case. */
export function isWord(token, ...words) {
  return token?.kind === "word" && words.includes(token.text.toUpperCase());
}

/** A place among characters (as the service counts) as one among UTF-16 units (as the browser does). */
export function unitsOf(text, characters) {
  return [...text].slice(0, characters).join("").length;
}
