// Tables as texts that other programs read: CSV, Markdown, LaTeX, and Python that asks the API for them. Pure.
import { MINUS, MISSING, number } from "../format.js";

/**
 * A table to copy. columns: `kind` is "number" for values that are numbers (undefined: missing, null: not finite),
 * else "text" (undefined or null: missing); a column of "either" has values of both, told apart by themselves. rows: a list of values for each.
 * @typedef {{columns: Array<{label: string, kind: "number" | "text" | "either"}>, rows: Array<Array<any>>}} Copied
 */

/** CSV (RFC 4180), with numbers in full, as Python, R and JavaScript read them back. @param {Copied} table */
export function csv({ columns, rows }) {
  const lines = [columns.map(({ label }) => guarded(label)), ...rows.map((row) => row.map((value, place) => plain(value, cellKind(value, columns[place]))))];
  return lines.map((line) => `${line.map(csvCell).join(",")}\r\n`).join("");
}

/** A table of Markdown, as GitHub and notebooks have it, with numbers as they are on the screen. @param {Copied} table */
export function markdown({ columns, rows }) {
  const line = (cells) => `| ${cells.join(" | ")} |\n`;
  const head = line(columns.map(({ label }) => markdownText(label)));
  const under = line(columns.map(({ kind }) => (kind === "text" ? "---" : "---:")));
  return head + under + rows.map((row) => line(row.map((value, place) => markdownCell(value, cellKind(value, columns[place]))))).join("");
}

/** A table of LaTeX with the rules of booktabs, with numbers as they are on the screen. @param {Copied} table */
export function latex({ columns, rows }) {
  const line = (cells) => `${cells.join(" & ")} \\\\\n`;
  const kinds = columns.map(({ kind }) => (kind === "text" ? "l" : "r")).join("");
  return [
    `% \\usepackage{booktabs}\n\\begin{tabular}{${kinds}}\n\\toprule\n`,
    line(columns.map(({ label }) => latexText(label))),
    "\\midrule\n",
    ...rows.map((row) => line(row.map((value, place) => latexCell(value, cellKind(value, columns[place]))))),
    "\\bottomrule\n\\end{tabular}\n",
  ].join("");
}

/**
 * Python that asks the API for the runs of a search and makes a pandas.DataFrame of them.
 * @param {string} address of /runs/search, absolute
 * @param {{filter: string, order_by: string[], fields: string[], experiment_id: string[]}} search
 * @param {boolean} needsKey whether the service wants an API key
 */
export function python(address, search, needsKey = false) {
  const query = { ...search, format: "columns", page_size: 1000 };
  const lines = Object.entries(query)
    .filter(([, value]) => value !== "" && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `    ${literal(name)}: ${literal(value)},\n`);
  return `${needsKey ? "import os\n\n" : ""}import pandas as pd
import requests

query = {
${lines.join("")}}
headers = ${needsKey ? '{"Authorization": f"Bearer {os.environ[\'TRACKING_API_KEY\']}"}' : "{}"}
pages = []
while True:
    answer = requests.post(${literal(address)}, json=query, headers=headers, timeout=60)
    answer.raise_for_status()
    page = answer.json()
    pages.append(pd.DataFrame(page["columns"]))
    if page["next_page_token"] is None:
        break
    query["page_token"] = page["next_page_token"]
runs = pd.concat(pages, ignore_index=True)
print(runs)
`;
}

function cellKind(value, { kind }) {
  if (kind !== "either") return { kind };
  return { kind: typeof value === "number" || value === null ? "number" : "text" };
}

function plain(value, { kind }) {
  if (value === undefined || (value === null && kind !== "number")) return "";
  if (kind !== "number") return guarded(String(value));
  if (value === null) return "NaN";
  return Object.is(value, -0) ? "-0.0" : String(value);
}

function csvCell(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// No spreadsheet takes it for a formula (https://owasp.org/www-community/attacks/CSV_Injection); numbers stay.
function guarded(text) {
  if (!/^[=+\-@\t\r]/.test(text)) return text;
  return /^[+-]/.test(text) && Number.isFinite(Number(text)) ? text : `'${text}`;
}

function shown(value, { kind }) {
  if (kind === "number") return number(value);
  return value === undefined || value === null ? MISSING : String(value);
}

function markdownCell(value, column) {
  return column.kind === "number" ? shown(value, column).replaceAll(MINUS, "-") : markdownText(shown(value, column));
}

function markdownText(text) {
  return oneLine(text)
    .replace(/[\\`*[\]|~#]/g, "\\$&")
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;");
}

function latexCell(value, column) {
  const text = shown(value, column);
  if (text === MISSING) return "--";
  if (column.kind !== "number") return latexText(text);
  const [mantissa, exponent] = text.replaceAll(MINUS, "-").replaceAll(",", "{,}").split("E");
  if (exponent !== undefined) return `$${mantissa}\\times10^{${exponent}}$`;
  if (mantissa.endsWith("\u221e")) return `$${mantissa.replace("\u221e", "\\infty")}$`;
  return text === "NaN" ? text : `$${mantissa}$`;
}

const LATEX = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
  '"': "\\textquotedbl{}",
};

function latexText(text) {
  return oneLine(text).replace(/[\\~^<>|"&%$#_{}]/g, (character) => LATEX[character] ?? `\\${character}`);
}

function oneLine(text) {
  return text.replace(/\s*[\r\n]+\s*/g, " ");
}

// Text of JSON is text of Python, but for the three words, which no search has.
function literal(value) {
  return JSON.stringify(value).replaceAll('","', '", "');
}
