/** The keys of the page. */

import { openDialog } from "./dialogs.js";
import { element, find } from "./elements.js";

/** @typedef {import("./inbox.js").Inbox} Inbox */
/** @typedef {import("./purchase.js").PurchaseView} PurchaseView */
/** @typedef {Record<string, () => void>} Keys */

/** Keys that press a button of the page, if it is there. @type {[string, string, string][]} */
const BUTTONS = [
  ["b", "#buy", "buy as a shopper"],
  ["t", "#clock", "move the clock"],
  ["x", "#faults", "make the next request or callback fail"],
  ["n", "#scenarios", "run a scenario"],
  ["f", "#show-failure", "show the exchange of the last failure"],
  ["m", "#manage", "capture, refund or cancel the order"],
  ["e", "#export-html", "export the purchase as an HTML file"],
  ["y", "#link", "copy the link to what is shown"],
  ["?", "#help", "this help"],
];
/** Views that are reached with `g` and a key. @type {[string, string, string][]} */
const VIEWS = [
  ["r", "#refusals", "refusals"],
  ["f", "#findings", "findings"],
  ["s", "#settings", "settings"],
  ["n", "#snapshots", "snapshots"],
  ["m", "#more", "links and reset"],
];
const HELP = [
  ["j / k", "next and previous purchase, or line of the opened purchase"],
  ["J / K", "open the next and the previous purchase"],
  ["Enter", "open a purchase or a line"],
  ["Escape", "back to the list; close a dialog"],
  ["/", "search"],
  ["s", "choose a state"],
  ["r", "send the callback of the line, or the newest one, again"],
  ["c", "copy the request of the line, or the last failure, as curl"],
  ["1 – 9", "press one of the numbered buttons of a dialog"],
  ["g p", "purchases"],
];

export function showHelp() {
  const shown = (/** @type {[string, string, string][]} */ rows) => rows.filter(([, selector]) => document.querySelector(selector));
  const keys = [...HELP, ...shown(VIEWS).map(([key, , text]) => [`g ${key}`, text]), ...BUTTONS.map(([key, , text]) => [key, text])];
  const rows = keys.flatMap(([key, text]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, text)]);
  openDialog("Keys", element("dl.keys", {}, ...rows));
}

/**
 * @param {Inbox} inbox
 * @param {PurchaseView} purchase
 * @param {() => void} leave closes the opened purchase
 */
export function listenToKeys(inbox, purchase, leave) {
  let isGoing = false; // whether the key before was `g`
  for (const [key, selector] of BUTTONS) {
    document.querySelector(selector)?.setAttribute("aria-keyshortcuts", key);
  }
  for (const [key, selector] of [...VIEWS.map(([name, view]) => [`g ${name}`, view]), ...BUTTONS]) {
    document.querySelector(selector)?.setAttribute("title", `Key ${key}`);
  }
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Shift") {
      return;
    }
    const keys = keysOf(inbox, purchase, leave, target);
    const isOnPage = !isField(target) && !document.querySelector("dialog[open]");
    const act = isGoing && isOnPage ? viewKeys(leave)[event.key] : keys[event.key];
    isGoing = !isGoing && isOnPage && event.key === "g";
    if (act) {
      event.preventDefault();
      act();
    }
  });
}

/** @param {HTMLElement} target */
function isField(target) {
  return target.matches("input, select, textarea");
}

/**
 * @param {Inbox} inbox
 * @param {PurchaseView} purchase
 * @param {() => void} leave
 * @param {HTMLElement} target where the key was pressed
 * @returns {Keys}
 */
function keysOf(inbox, purchase, leave, target) {
  const dialog = document.querySelector("dialog[open]");
  if (dialog) {
    return isField(target) ? {} : dialogKeys(dialog);
  }
  if (isField(target)) {
    return fieldKeys(inbox, target);
  }
  return { ...pageKeys(inbox, purchase, leave, target), ...(target.id === "list" ? listKeys(inbox) : {}) };
}

/**
 * The digits press the buttons of the first numbered list.
 * @param {Element} dialog
 * @returns {Keys}
 */
function dialogKeys(dialog) {
  const buttons = /** @type {HTMLElement[]} */ ([...dialog.querySelectorAll(".presets button")]);
  return Object.fromEntries(buttons.slice(0, 9).map((button, at) => [String(at + 1), () => button.click()]));
}

/**
 * @param {Inbox} inbox
 * @param {HTMLElement} field
 * @returns {Keys}
 */
function fieldKeys(inbox, field) {
  const leaveField = () => inbox.move(0);
  return field.id === "search" ? { Escape: leaveField, Enter: leaveField } : { Escape: leaveField };
}

/**
 * @param {Inbox} inbox
 * @returns {Keys}
 */
function listKeys(inbox) {
  return {
    ArrowDown: () => inbox.move(1),
    ArrowUp: () => inbox.move(-1),
    Home: () => inbox.activate(0),
    End: () => inbox.activate(inbox.rows.length - 1),
    Enter: () => inbox.chooseActive(),
  };
}

/**
 * @param {() => void} leave
 * @returns {Keys}
 */
function viewKeys(leave) {
  return { p: leave, ...pressing(VIEWS) };
}

/**
 * @param {[string, string, string][]} buttons
 * @returns {Keys}
 */
function pressing(buttons) {
  const press = (/** @type {string} */ selector) => () => /** @type {HTMLElement|null} */ (document.querySelector(`${selector}:not([inert] *)`))?.click();
  return Object.fromEntries(buttons.map(([key, selector]) => [key, press(selector)]));
}

/**
 * @param {Inbox} inbox
 * @param {PurchaseView} purchase
 * @param {() => void} leave
 * @param {HTMLElement} target
 * @returns {Keys}
 */
function pageKeys(inbox, purchase, leave, target) {
  const moved = purchase.root.contains(target) || isListHidden() ? purchase : inbox;
  return {
    ...pressing(BUTTONS),
    j: () => moved.move(1),
    k: () => moved.move(-1),
    J: () => inbox.openNext(1),
    K: () => inbox.openNext(-1),
    "/": () => find("#search").focus(),
    s: () => find("#state").focus(),
    r: () => purchase.resend(),
    c: () => purchase.copy(),
    Escape: leave,
  };
}

function isListHidden() {
  return find("#list").offsetParent === null;
}
