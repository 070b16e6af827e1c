import { element } from "./elements.js";

/** @typedef {import("./types.js").Problem & {value?: unknown, formula?: string}} SentProblem */
/**
 * An entry of the journal, with the server's text for it.
 *
 * @typedef {{seq: number, at: string, merchant: string, kind: string, name: string, actor: string, text: string, is_error: boolean,
 *   method?: string, path?: string, url?: string, callback_id?: string, status?: number | null, request_body?: any,
 *   before?: object, after?: object, response_body?: any, explanation?: string | null, error?: string | null, remedy?: string | null, hint?: string | null,
 *   problems?: SentProblem[]}} Entry
 */

const HEAD = ["seq", "at", "merchant", "kind", "name", "purchase_id", "actor", "text", "is_error"];
const COPIED_MS = 1500;
/** The calls of the page. @type {Record<string, string>} */
const CALLS = { sdk_load: "load() or update()", sdk_update: "update()", sdk_problem: "console" };

/**
 * An entry of the journal: a line, and below it why something failed, what can be done, and all members. Failures are open.
 *
 * @param {Entry} entry
 * @param {object | undefined} authorized the order that the merchant was asked to place
 * @param {(entry: Entry) => void} resend sends a callback again
 * @returns {HTMLElement}
 */
export function entryRow(entry, authorized, resend) {
  const { seq, at, kind, name, status, is_error: isError } = entry;
  const isRefusedByLoad = isError && status === 200; // the answer of load() has its problems in its body
  const line = element(
    "summary",
    {},
    element("time", { datetime: at }, at.slice(11, 23)),
    element("span", { class: `kind ${kind}` }, kind),
    element("span", { class: "name" }, CALLS[name] ?? name),
    status && element("span", { class: "result" }, isRefusedByLoad ? "refused" : status),
    element("span", { class: "summary-text" }, `${entry.actor}: ${entry.text}`),
  );
  const members = Object.entries(entry).filter(([member, value]) => !HEAD.includes(member) && value !== null);
  const call = curl(entry);
  const actions = [
    call && element("button", { type: "button", class: "tool", onclick: ({ currentTarget }) => copy(call, currentTarget) }, "Copy as curl"),
    kind === "callback" && element("button", { type: "button", class: "tool", onclick: () => resend(entry) }, "Resend"),
    element("a", { class: "tool", href: `/_mock/journal/${seq}`, target: "_blank", rel: "noopener noreferrer" }, "Journal entry"),
  ];
  const payloads = json(Object.fromEntries(members));
  const folded = isError ? element("details", {}, element("summary", {}, "All members"), payloads) : payloads;
  const more = [reasons(entry), comparison(entry, authorized), element("div", { class: "tools" }, actions), folded];
  return element("li", { class: isError && "refused", "data-at": at, "data-name": name }, element("details", { open: isError }, line, ...more));
}

/**
 * Why a request was refused or a callback failed: each problem with what was sent, or the message.
 *
 * @param {Entry} entry
 * @returns {HTMLElement | false}
 */
function reasons(entry) {
  const { problems = [], remedy, hint } = entry;
  const rows = problems.map(({ path, value, expected, formula }) => member(path || "body", { sent: valueText(value), expected, formula }));
  const sentences = [!rows.length && entry.is_error && message(entry), remedy, hint].filter(Boolean).map((text) => element("p", {}, text));
  return rows.length + sentences.length > 0 && element("div", { class: "reasons" }, rows, sentences);
}

/**
 * The sentence for a failure: of the journal, else of the body of the answer.
 *
 * @param {Entry} entry
 * @returns {string | undefined}
 */
function message({ explanation, error, response_body: body }) {
  const { detail, error_message: single, error_messages: several } = body ?? {};
  return explanation || error || detail || single || several?.join("; ");
}

/**
 * The order that the merchant has posted beside the one that was authorized, or a session before and after an update; false for other entries.
 *
 * @param {Entry} entry
 * @param {object | undefined} authorized
 * @returns {HTMLElement | false}
 */
function comparison({ name, request_body: posted, before, after }, authorized) {
  if (name === "session_updated") return differenceList("How the update changed the session", ["before", "after"], differences(before ?? {}, after ?? {}));
  if (name !== "create_order" || !authorized || typeof posted !== "object") return false;
  const found = differences(authorized, posted);
  if (!found.length) return element("p", { class: "same" }, "The merchant's order is the authorized one.");
  return differenceList("How the merchant's order differs from the authorized one", ["authorized", "posted"], found);
}

/**
 * @param {string} title
 * @param {string[]} terms
 * @param {ReturnType<typeof differences>} found
 * @returns {HTMLElement}
 */
function differenceList(title, [one, other], found) {
  const rows = found.map(({ path, before, after }) => member(path, { [one]: element("del", {}, valueText(before)), [other]: element("ins", {}, valueText(after)) }));
  return element("div", { class: "differences" }, element("p", {}, title), rows);
}

/**
 * What there is to say about a member of a body, by term.
 *
 * @param {string} path
 * @param {Record<string, string | HTMLElement | undefined>} texts
 * @returns {HTMLElement}
 */
function member(path, texts) {
  const terms = Object.entries(texts).map(([term, text]) => text && element("div", {}, element("dt", {}, term), element("dd", {}, text)));
  return element("div", { class: "member" }, element("code", {}, path), element("dl", {}, terms));
}

/**
 * The members in which two JSON values differ; undefined stands for a missing one.
 *
 * @param {any} before
 * @param {any} after
 * @param {string} path
 * @returns {{path: string, before: unknown, after: unknown}[]}
 */
export function differences(before, after, path = "") {
  const isNested = [before, after].every((value) => value !== null && typeof value === "object");
  if (!isNested || Array.isArray(before) !== Array.isArray(after)) return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const place = (/** @type {string} */ name) => (Array.isArray(before) ? `${path}[${name}]` : path ? `${path}.${name}` : name);
  return names.flatMap((name) => differences(before[name], after[name], place(name)));
}

/**
 * The command that sends a request or a callback again; "" for an event.
 *
 * @param {Entry} entry
 * @returns {string}
 */
export function curl({ kind, method = "POST", path = "", url, merchant, request_body: body }) {
  if (kind === "event") return "";
  const needsCredentials = !url && !/^\/(_mock|instantshopping\/sdk)\//.test(path);
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return [
    `curl -X ${method} ${quoted(url ?? new URL(path, location.origin).href)}`,
    needsCredentials && `-u ${quoted(`${merchant}:password`)}`,
    body !== null && body !== undefined && `-H 'Content-Type: application/json' -d ${quoted(text)}`,
  ].filter(Boolean).join(" ");
}

/**
 * @param {string} text
 * @returns {string}
 */
function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Copy a text and say so. The selection is copied, because a frame of another site may not use `navigator.clipboard`.
 *
 * @param {string} text
 * @param {HTMLElement} button
 */
function copy(text, button) {
  const area = element("textarea", { class: "visually-hidden", "aria-hidden": "true" }, text);
  button.after(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  button.focus();
  button.textContent = isCopied ? "Copied" : "Not copied";
  setTimeout(() => (button.textContent = "Copy as curl"), COPIED_MS);
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function valueText(value) {
  return value === undefined || value === null ? "nothing" : typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * A payload as formatted JSON.
 *
 * @param {unknown} payload
 * @returns {HTMLElement}
 */
export function json(payload) {
  return element("pre", { tabindex: "0" }, JSON.stringify(payload, null, 2));
}
