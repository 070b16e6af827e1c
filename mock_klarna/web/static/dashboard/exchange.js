/** One entry of the journal in full: what was wrong, request, answer, headers, and what can be done with it. */

import { bodyView, differencesView } from "./bodies.js";
import { announce, element, words } from "./elements.js";

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
  const parts = [...(isEvent ? [] : [actions(entry, source)]), ...explanation(entry)];
  if (isEvent) {
    const { seq, kind, merchant, ...members } = entry;
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
  const sent = problem.value === undefined ? "" : JSON.stringify(problem.value);
  return element(
    "li",
    {},
    element("code.path", {}, problem.path || "the body"),
    element("span", {}, ` expected ${problem.expected}`),
    sent ? element("span.sent", {}, `, sent ${sent.length > 200 ? `${sent.slice(0, 200)}…` : sent}`) : null,
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
  const copy = element("button", { type: "button", click: () => copyText(curl(entry, source.origin)) }, "Copy as curl");
  return element("div.buttons", {}, copy, ...source.entryButtons(entry));
}

/**
 * The request as a command for a shell. The journal has no passwords, so any stands in its place.
 * @param {Json} entry
 * @param {string} origin the address of the server
 */
export function curl(entry, origin) {
  const isCallback = entry.kind === "callback";
  const parts = ["curl", "-i"];
  const method = isCallback ? "POST" : entry.method;
  if (method !== "GET") {
    parts.push("-X", method);
  }
  parts.push(quoted(isCallback ? entry.url : origin + entry.path));
  if (!isCallback && entry.merchant) {
    parts.push("-u", quoted(`${entry.merchant}:PASSWORD`));
  }
  const body = entry.request_body;
  if (body !== null && body !== undefined) {
    parts.push("-H", quoted("Content-Type: application/json"));
    parts.push("--data-raw", quoted(typeof body === "string" ? body : JSON.stringify(body)));
  }
  return parts.join(" ");
}

/** @param {string} text */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** @param {string} text */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce("The command was copied");
  } catch {
    announce(text); // without https or permission there is no clipboard
  }
}
