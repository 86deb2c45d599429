// The parts of a filter of which all must hold. Pure.
import { isWord, tokensOf } from "./lexer.js";

/** The parts of a filter that AND joins outside parentheses; the whole where OR does. @param {string} text */
export function conjuncts(text) {
  if (text.trim() === "" || hasOrOutside(text)) return text.trim() === "" ? [] : [text.trim()];
  const parts = [];
  let start = 0;
  for (const token of outside(text)) {
    if (!isWord(token, "AND")) continue;
    parts.push(text.slice(start, token.start).trim());
    start = token.end;
  }
  parts.push(text.slice(start).trim());
  return parts.filter(Boolean);
}

/** Whether OR stands outside all parentheses, so that "… AND x" would not mean all of it. */
export function hasOrOutside(text) {
  return [...outside(text)].some((token) => isWord(token, "OR"));
}

function* outside(text) {
  let depth = 0;
  for (const token of tokensOf(text)) {
    if (token.kind === "open") depth += 1;
    if (token.kind === "close") depth -= 1;
    if (depth === 0) yield token;
  }
}
