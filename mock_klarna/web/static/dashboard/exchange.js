/** One entry of the journal in full: what was wrong, request, answer, headers, and what can be done with it. */

import { bodyView, differencesView } from "./bodies.js";
import { curl, isOfPage, pytestLine, scenarioStep } from "./copies.js";
import { announce, element, sentText, words } from "./elements.js";

/** @typedef {import("./elements.js").Json} Json */
/** @typedef {import("./purchase.js").Source} Source */

/**
 * Show an entry. `authorized` is the order that the shopper authorized, or null.
 * @param {Json} entry
 * @param {Json|null} authorized
 * @param {Source} source
 */
export function exchangeView(entry, authorized, source) {
  const isEvent = entry.kind === "event";
  const parts = [actions(entry, source), ...explanation(entry)];
  if (isEvent) {
    const { seq, kind, merchant, ...members } = entry;
    if (entry.name === "session_updated") {
      parts.push(section("Session before and after", differencesView(entry.before ?? {}, entry.after ?? {}, ["Before", "After"])));
    }
    parts.push(section(`Event ${seq}: ${kind} of ${merchant}`, bodyView(members)));
    return element("div.exchange", {}, ...parts);
  }
  const paths = [...(entry.problems ?? []), ...(entry.warnings ?? [])].map((problem) => problem.path);
  const difference = placedDifference(entry, authorized);
  if (difference) {
    parts.push(section("Authorized and placed orders differ", difference));
  }
  const isCallback = entry.kind === "callback";
  const address = isCallback ? `POST ${entry.url}` : `${entry.method} ${entry.path}`;
  parts.push(section(address, headersView(entry.request_headers), bodyView(entry.request_body, paths)));
  const answer = isCallback ? entry.answer_body : entry.response_body;
  const title = `Answer ${entry.status ?? words(entry.outcome ?? "")}, ${entry.duration_ms} ms`;
  parts.push(section(title, headersView(entry.answer_headers), bodyView(answer)));
  return element("div.exchange", {}, ...parts);
}

/**
 * @param {string} title
 * @param {...(Node|null)} parts
 */
function section(title, ...parts) {
  return element("section", {}, element("h4", {}, title), ...parts);
}

/** @param {[string, string][]|undefined} headers */
function headersView(headers) {
  if (!headers?.length) {
    return null;
  }
  const rows = headers.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  return element("dl.headers", {}, ...rows);
}

/**
 * Why it was refused or what failed, with what would be right.
 * @param {Json} entry
 * @returns {HTMLElement[]}
 */
export function explanation(entry) {
  const texts = [entry.explanation, entry.error, entry.remedy].filter(Boolean);
  const parts = texts.map((text) => element("p.why", {}, text));
  for (const [name, list] of [["problems", entry.problems], ["problems.warnings", entry.warnings]]) {
    if (list?.length) {
      parts.push(element(`ul.${name}`, {}, ...list.map(problemView)));
    }
  }
  return parts;
}

/** @param {Json} problem */
function problemView(problem) {
  return element(
    "li",
    {},
    element("code.path", {}, problem.path || "the body"),
    element("span", {}, ` expected ${problem.expected}`),
    element("span.sent", {}, sentText(problem, ", sent ", "")),
    problem.formula ? element("span.formula", {}, ` (${problem.formula})`) : null,
  );
}

/**
 * @param {Json} entry
 * @param {Json|null} authorized
 */
function placedDifference(entry, authorized) {
  if (entry.name !== "create_order" || !authorized || typeof entry.request_body !== "object" || !entry.request_body) {
    return null;
  }
  return differencesView(authorized, entry.request_body, ["Authorized", "Placed"]);
}

/**
 * @param {Json} entry
 * @param {Source} source
 */
function actions(entry, source) {
  const ways = Object.entries(copies(entry, source.origin)).map(([name, text]) =>
    element("button", { type: "button", click: () => copyText(text()) }, `Copy as ${name}`),
  );
  return element("div.buttons", {}, ...ways, ...source.entryButtons(entry));
}

/**
 * As what an entry can be copied; scenarios have no steps for the calls of a page.
 * @param {Json} entry
 * @param {string} origin
 * @returns {Record<string, () => string>}
 */
function copies(entry, origin) {
  return {
    ...(entry.kind !== "event" && { curl: () => curl(entry, origin) }),
    ...(!isOfPage(entry) && { "scenario step": () => scenarioStep(entry) }),
    "pytest line": () => pytestLine(entry),
  };
}

/**
 * Copy a text and say so.
 * @param {string} text
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce("Copied");
  } catch {
    announce(text); // without https or permission there is no clipboard
  }
}
