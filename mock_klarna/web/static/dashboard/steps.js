/** What each entry of the journal is in the lanes: from where to where, its text, and whether it went wrong. */

import { counted, element, money, timeOfDay, words } from "./elements.js";

/** @typedef {import("./elements.js").Json} Json */

/**
 * @typedef {object} Step
 * @property {"page"|"klarna"|"shop"} from
 * @property {"page"|"klarna"|"shop"} to the same as `from` for something that happens in one lane
 * @property {string} text
 * @property {string} result the status of the answer, or ""
 * @property {boolean} isFailure
 */

/**
 * Where an event happens, and its text; `{name}` is a member of the event, as money if the name ends in `_amount`.
 * @type {Record<string, [Step["from"], Step["to"], string]>}
 */
const EVENTS = {
  session_initiated: ["page", "klarna", "clicks the button"],
  identification_updated: ["page", "klarna", "address: {customer_postal_code} {customer_country}"],
  specifications_selected: ["page", "klarna", "selects {quantity} × {reference}"],
  shipping_updated: ["page", "klarna", "selects shipping {reference}"],
  cart_changed: ["page", "klarna", "cheats and changes the cart"],
  checkboxes_answered: ["page", "klarna", "answers the checkboxes"],
  session_updated: ["klarna", "page", "session updated: {changed}"],
  update_ignored: ["klarna", "klarna", "update ignored: {reason}"],
  purchase_authorized: ["klarna", "klarna", "authorized {order_amount}"],
  purchase_declined: ["klarna", "page", "declined: {reason}"],
  purchase_failed: ["klarna", "page", "failed: {reason}"],
  purchase_placed: ["klarna", "page", "order placed, {fraud_status}"],
  purchase_denied: ["klarna", "page", "denied {deny_code}"],
  purchase_timed_out: ["klarna", "page", "no decision after {seconds} s"],
  authorization_expired: ["klarna", "klarna", "token expired"],
  authorization_refused: ["klarna", "klarna", "token of another merchant: {refused_merchant}"],
  fraud_review_ended: ["klarna", "klarna", "review ended: {fraud_status}"],
  order_captured: ["klarna", "klarna", "captured {captured_amount}"],
  order_refunded: ["klarna", "klarna", "refunded {refunded_amount}"],
  order_cancelled: ["klarna", "klarna", "cancelled: {reason}"],
  clock_moved: ["klarna", "klarna", "clock moved, {seconds} s ahead"],
};
/** The calls of the page. @type {Record<string, string>} */
const CALLS = { sdk_load: "load() or update()", sdk_update: "update()", sdk_problem: "lib.js reports a problem" };
const FAILED = ["purchase_failed", "purchase_declined", "purchase_timed_out", "authorization_expired", "update_ignored"];

const COLUMN = { page: 2, klarna: 4, shop: 6 };

/**
 * Whether an entry of the journal is about something that went wrong.
 * @param {Json} entry
 */
export function isFailure(entry) {
  if (entry.kind === "callback") {
    return Boolean(entry.error) || !entry.status || entry.status >= 400;
  }
  return entry.kind === "exchange" && (entry.status >= 400 || (entry.problems ?? []).length > 0 || entry.name === "sdk_problem");
}

/**
 * What went wrong, in one line.
 * @param {Json} entry
 */
export function failureTitle(entry) {
  const name = nameOf(entry);
  if (entry.kind === "exchange" && entry.status < 400) {
    const problems = (entry.problems ?? []).length; // the page goes on with them
    return problems ? `${name}: ${counted(problems, "problem")}` : name;
  }
  return `${name} ${entry.status ? `was answered ${entry.status}` : "got no answer"}`;
}

/** @param {Json} entry */
function nameOf(entry) {
  return CALLS[entry.name] ?? words(entry.name);
}

/**
 * Return what an entry is in the lanes.
 * @param {Json} entry
 * @param {string|undefined} currency
 * @returns {Step}
 */
function stepOf(entry, currency) {
  if (entry.kind === "exchange") {
    const isPage = entry.path.startsWith("/instantshopping/sdk");
    return { from: isPage ? "page" : "shop", to: "klarna", text: nameOf(entry), result: String(entry.status), isFailure: isFailure(entry) };
  }
  if (entry.kind === "callback") {
    const attempt = entry.number > 1 ? `, attempt ${entry.number}` : "";
    const text = `${words(entry.name)}${attempt}${entry.injected?.changed ? ", changed" : ""}`;
    const result = entry.status ? String(entry.status) : words(entry.outcome ?? "failed");
    return { from: "klarna", to: "shop", text, result, isFailure: isFailure(entry) };
  }
  const [from, to, text] = EVENTS[entry.name] ?? ["klarna", "klarna", words(entry.name)];
  return { from, to, text: filled(text, entry, currency), result: "", isFailure: FAILED.includes(entry.name) };
}

/**
 * @param {string} text
 * @param {Json} entry
 * @param {string|undefined} currency
 */
function filled(text, entry, currency) {
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = entry[name];
    return name.endsWith("_amount") ? money(value, currency) : String(value ?? "");
  });
}

/**
 * The line of an entry in the lanes.
 * @param {Json} entry
 * @param {string|undefined} currency
 * @param {boolean} isOpen
 * @param {() => void} click
 */
export function stepButton(entry, currency, isOpen, click) {
  const step = stepOf(entry, currency);
  const [start, end] = [COLUMN[step.from], COLUMN[step.to]];
  const kind = start === end ? "span.point" : start < end ? "span.arrow.right" : "span.arrow.left";
  const text = element(kind, {}, element("span.text", {}, step.text), step.result ? element("span.result", {}, step.result) : null);
  text.style.gridColumn = start === end ? `${start} / ${start + 2}` : `${Math.min(start, end) + 1} / ${Math.max(start, end) + 1}`;
  const where = step.from === step.to ? `${step.from}: ` : `${step.from} to ${step.to}: `;
  return element(
    step.isFailure ? "button.step.failed" : `button.step.of-${entry.kind}`,
    { type: "button", id: `step-${entry.seq}`, "aria-expanded": String(isOpen), click },
    element("time", { datetime: entry.at }, timeOfDay(entry.at).slice(0, 8), element("span.ms", {}, timeOfDay(entry.at).slice(8))),
    element("span.visually-hidden", {}, where),
    text,
  );
}
