/** Bodies as text: JSON with the lines marked that a problem is about, and the differences of two bodies. */

import { element } from "./elements.js";

/** @typedef {import("./elements.js").Json} Json */

const MAX_LINES = 3000;

/**
 * @typedef {object} Line
 * @property {string} path as problems name it, such as `order_lines[0].quantity`
 * @property {string} text
 * @property {string} [label] the name of the member, with which the text begins after its indent
 */

/**
 * Show a body; lines of the paths are marked.
 * @param {unknown} body
 * @param {string[]} [paths]
 */
export function bodyView(body, paths = []) {
  if (body === null || body === undefined) {
    return element("p.none", {}, "no body");
  }
  const lines = typeof body === "string" ? body.split("\n").map((text) => ({ path: "", text })) : [...linesOf(body)];
  /** @param {Line} line */
  const parts = ({ text, label = "" }) => {
    const start = label ? text.indexOf(label) : 0;
    return label ? [text.slice(0, start), element("span.key", {}, label), `${text.slice(start + label.length)}\n`] : [`${text}\n`];
  };
  const known = new Set(lines.map((line) => line.path));
  const marked = new Set(paths.map((path) => nearest(path, known)).filter(Boolean));
  const shown = lines.slice(0, MAX_LINES).map((line) => element(marked.has(line.path) ? "span.line.wrong" : "span.line", {}, ...parts(line)));
  if (lines.length > MAX_LINES) {
    shown.push(element("span.line", {}, `… ${lines.length - MAX_LINES} more lines`));
  }
  return element("pre.body", { tabindex: 0, role: "group", "aria-label": "Body" }, ...shown);
}

/**
 * The path, or the one of the closest member around it that the body has: a problem may be about a member that is missing.
 * @param {string} path
 * @param {Set<string>} known
 */
function nearest(path, known) {
  let tried = path;
  while (tried && !known.has(tried)) {
    tried = tried.replace(/(\.[^.[]*|\[\d+\]|^[^.[]*)$/, "");
  }
  return tried;
}

/**
 * @param {unknown} value
 * @param {string} path
 * @param {string} indent
 * @param {string} label
 * @param {string} end
 * @returns {Generator<Line>}
 */
function* linesOf(value, path = "", indent = "", label = "", end = "") {
  const isList = Array.isArray(value);
  const members = typeof value === "object" && value ? Object.entries(value) : [];
  if (members.length === 0) {
    yield { path, label, text: `${indent}${label}${JSON.stringify(value)}${end}` };
    return;
  }
  const [open, close] = isList ? "[]" : "{}";
  yield { path, label, text: `${indent}${label}${open}` };
  for (const [at, [name, member]] of members.entries()) {
    const comma = at + 1 < members.length ? "," : "";
    yield* linesOf(member, inside(path, name, isList), `${indent}  `, isList ? "" : `${JSON.stringify(name)}: `, comma);
  }
  yield { path: "", text: `${indent}${close}${end}` };
}

/**
 * The path of a member.
 * @param {string} path
 * @param {string} name
 * @param {boolean} isList
 */
function inside(path, name, isList) {
  return isList ? `${path}[${name}]` : `${path}${path ? "." : ""}${name}`;
}

/**
 * The values of a body by their paths.
 * @param {unknown} value
 * @param {string} path
 * @returns {Generator<[string, unknown]>}
 */
function* leaves(value, path = "") {
  if (typeof value !== "object" || value === null) {
    yield [path, value];
    return;
  }
  for (const [name, member] of Object.entries(value)) {
    yield* leaves(member, inside(path, name, Array.isArray(value)));
  }
}

/**
 * Show where two bodies differ, or null if they do not.
 * @param {Json} one
 * @param {Json} other
 * @param {[string, string]} titles
 */
export function differencesView(one, other, titles) {
  const [before, after] = [new Map(leaves(one)), new Map(leaves(other))];
  const rows = [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, path),
        element("td", {}, valueText(before.get(path))),
        element("td", {}, valueText(after.get(path))),
      ),
    );
  if (!rows.length) {
    return null;
  }
  const head = ["Member", ...titles].map((title) => element("th", { scope: "col" }, title));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
  return element("div.differences", { tabindex: 0, role: "group", "aria-label": "Differences" }, table);
}

/** @param {unknown} value */
function valueText(value) {
  return value === undefined ? "–" : JSON.stringify(value);
}
