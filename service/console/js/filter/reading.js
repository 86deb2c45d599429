// A filter as it is typed, read token by token: its comparisons, the words beside them, where AND is missing, and
// what may come next. Tolerant of what the service would refuse and `translate` can mend. Pure.
import { isWord, tokensOf } from "./lexer.js";

const NAMES = ["word", "field", "double", "backtick", "text", "number", "other", "openField", "openText"];
const TAILS = ["word", "other", "number"]; // what goes on with the token before where no space is between
const VALUES = ["number", "text", "double", "word", "other"];

/**
 * What a text says, and what it waits for.
 * @param {string} text
 * @returns {{
 *   comparisons: Array<{name: Span, isNumber: boolean, whole: Span, operator: Span, values: Span[]}>,
 *   words: Span[], gaps: Array<{start: number, end: number}>, state: string, depth: number,
 *   current: object | null, fault: {position: number, expected: string} | null
 * }} A Span is {kind, text, start, end}. isNumber: the name stands in number(…), of which `whole` is all.
 *   words: what is no comparison. gaps: where " AND " is to be put. state: operand, operator, afterNot, isNull,
 *   listOpen, value, listValue, listNext, connective, numberField, numberClose, open (a quote is). current: the
 *   comparison that is not complete. fault: what cannot be mended; then reading has ended there.
 */
export function read(text) {
  const reading = { tokens: tokensOf(text), at: 0, comparisons: [], words: [], gaps: [], depth: 0, current: null, fault: null };
  reading.state = "operand";
  for (; reading.at < reading.tokens.length && !reading.fault; reading.at += 1) {
    reading.state = STATES[reading.state](reading, reading.tokens[reading.at]) ?? reading.state;
  }
  return reading;
}

const STATES = {
  operand(reading, token) {
    if (isWord(token, "NOT")) return "operand";
    if (token.kind === "open") {
      reading.depth += 1;
      return "operand";
    }
    if (isWord(token, "AND", "OR") || !NAMES.includes(token.kind)) return fault(reading, token, "a field, a word, NOT or (");
    if (isWord(token, "NUMBER") && next(reading)?.kind === "open") {
      reading.at += 1;
      reading.current = { name: null, isNumber: true, whole: { ...token }, operator: null, values: [] };
      return "numberField";
    }
    reading.current = { name: { ...token }, isNumber: false, whole: { ...token }, operator: null, values: [] };
    return token.kind === "openText" || token.kind === "openField" ? "open" : "operator";
  },
  numberField(reading, token) {
    if (!["word", "field"].includes(token.kind)) return fault(reading, token, "params.… or tags.… in number(…)");
    reading.current.name = { ...token };
    return "numberClose";
  },
  numberClose(reading, token) {
    if (token.kind !== "close") return fault(reading, token, ") after the field");
    reading.current.whole.end = token.end;
    return "operator";
  },
  operator(reading, token) {
    const { current } = reading;
    const after = next(reading);
    if (token.kind === "operator" || isWord(token, "LIKE", "ILIKE")) return operated(current, token, "value");
    if (isWord(token, "IN") && (!after || after.kind === "open")) return operated(current, token, "listOpen");
    if (isWord(token, "IS") && (!after || isWord(after, "NOT", "NULL"))) return operated(current, token, "isNull");
    if (isWord(token, "NOT") && (!after || isWord(after, "IN"))) return operated(current, token, "afterNot");
    if (current.isNumber) return fault(reading, token, "an operator");
    if (continues(current.name, token)) {
      current.name = { kind: "other", text: current.name.text + token.text, start: current.name.start, end: token.end };
      return "operator";
    }
    endWord(reading);
    return STATES.connective(reading, token);
  },
  afterNot(reading, token) {
    if (!isWord(token, "IN")) return fault(reading, token, "IN after NOT");
    return operated(reading.current, token, "listOpen");
  },
  isNull(reading, token) {
    operated(reading.current, token, "isNull");
    if (isWord(token, "NOT")) return "isNull";
    return isWord(token, "NULL") ? endComparison(reading) : fault(reading, token, "NULL or NOT NULL after IS");
  },
  listOpen(reading, token) {
    return token.kind === "open" ? "listValue" : fault(reading, token, "( after IN");
  },
  value(reading, token) {
    return valued(reading, token, "valueTail");
  },
  valueTail(reading, token) {
    if (continues(reading.current.values.at(-1), token)) return extended(reading, token, "valueTail");
    endComparison(reading);
    return STATES.connective(reading, token);
  },
  listValue(reading, token) {
    return valued(reading, token, "listNext");
  },
  listNext(reading, token) {
    if (token.kind === "comma") return "listValue";
    if (token.kind === "close") return endComparison(reading);
    if (continues(reading.current.values.at(-1), token)) return extended(reading, token, "listNext");
    return fault(reading, token, ", or )");
  },
  connective(reading, token) {
    if (isWord(token, "AND", "OR")) return "operand";
    if (token.kind === "close") {
      reading.depth -= 1;
      return reading.depth < 0 ? fault(reading, token, "AND, OR or the end: nothing is open that ) closes") : "connective";
    }
    if (token.kind === "comma") {
      reading.gaps.push({ start: token.start, end: token.end });
      return "operand";
    }
    if (token.kind === "operator") return fault(reading, token, "AND, OR or the end");
    reading.gaps.push({ start: token.start, end: token.start });
    return STATES.operand(reading, token);
  },
};
STATES.open = STATES.connective; // never reached: what is open goes on to the end

function next(reading) {
  return reading.tokens[reading.at + 1];
}

function continues(span, token) {
  return span.end === token.start && ["word", "other", "number"].includes(span.kind) && TAILS.includes(token.kind);
}

function operated(current, token, state) {
  const before = current.operator;
  const text = before ? `${before.text} ${token.text.toUpperCase()}` : token.text.toUpperCase();
  current.operator = { kind: "operator", text, start: before?.start ?? token.start, end: token.end };
  return state;
}

function valued(reading, token, state) {
  if (!VALUES.includes(token.kind) && token.kind !== "openText") return fault(reading, token, "a value");
  reading.current.values.push({ ...token });
  return token.kind === "openText" ? "open" : state;
}

function extended(reading, token, state) {
  const { values } = reading.current;
  const last = values.pop();
  values.push({ kind: "other", text: last.text + token.text, start: last.start, end: token.end });
  return state;
}

function endWord(reading) {
  reading.words.push(reading.current.name);
  reading.current = null;
}

function endComparison(reading) {
  reading.comparisons.push(reading.current);
  reading.current = null;
  return "connective";
}

function fault(reading, token, expected) {
  reading.fault = { position: token.start, expected };
  return reading.state;
}
