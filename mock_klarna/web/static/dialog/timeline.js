import { element } from "./elements.js";

/**
 * @typedef {{seq: number, at: string, kind: string, name: string, method?: string, path?: string, url?: string,
 *   status?: number | null, duration_ms?: number, outcome?: string, error?: string | null}} Entry
 */

const HEAD = ["seq", "at", "merchant", "kind", "name", "purchase_id"];

/**
 * One entry of the journal: a line that tells what happened, and all of it beneath.
 *
 * @param {Entry} entry
 * @returns {HTMLElement}
 */
export function entryRow(entry) {
  const details = Object.fromEntries(Object.entries(entry).filter(([name, value]) => !HEAD.includes(name) && value !== null));
  const line = element(
    "summary",
    {},
    element("time", { datetime: entry.at }, entry.at.slice(11, 23)),
    element("span", { class: `kind ${entry.kind}` }, entry.kind),
    element("span", { class: "what" }, headline(entry)),
  );
  return element("li", {}, element("details", {}, line, json(details)));
}

/**
 * @param {Entry} entry
 * @returns {string}
 */
export function headline({ name, method, path, url, status, outcome, error }) {
  const verdict = status ?? (error ? outcome ?? "failed" : "");
  const where = method ? `${method} ${path}` : url ?? "";
  return [name, where && `· ${where}`, verdict && `→ ${verdict}`].filter(Boolean).join(" ");
}

/**
 * A payload to read and to copy.
 *
 * @param {unknown} payload
 * @returns {HTMLElement}
 */
export function json(payload) {
  return element("pre", { tabindex: "0" }, JSON.stringify(payload, null, 2));
}
