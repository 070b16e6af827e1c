/** The keys of the page. */

import { openDialog } from "./dialogs.js";
import { element, find } from "./elements.js";

const HELP = [
  ["j / k", "next and previous purchase, or step of the opened purchase"],
  ["Enter", "open a purchase or a step"],
  ["Escape", "back to the list"],
  ["/", "search"],
  ["f", "show the last failure of the opened purchase"],
  ["b", "buy"],
  ["?", "this help"],
];

export function showHelp() {
  const rows = HELP.flatMap(([key, text]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, text)]);
  openDialog("Keys", element("dl.keys", {}, ...rows));
}

/**
 * @param {import("./inbox.js").Inbox} inbox
 * @param {import("./purchase.js").PurchaseView} purchase
 * @param {() => void} leave closes the opened purchase
 */
export function listenToKeys(inbox, purchase, leave) {
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) {
      return;
    }
    const act = target.matches("input, select, textarea")
      ? fieldKeys(inbox, target)[event.key]
      : { ...pageKeys(inbox, purchase, leave, target), ...(target.id === "list" ? listKeys(inbox) : {}) }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
}

/** @typedef {Record<string, () => void>} Keys */

/**
 * @param {import("./inbox.js").Inbox} inbox
 * @param {HTMLElement} field
 * @returns {Keys}
 */
function fieldKeys(inbox, field) {
  const leaveField = () => inbox.move(0);
  return field.id === "search" ? { Escape: leaveField, Enter: leaveField } : { Escape: leaveField };
}

/**
 * @param {import("./inbox.js").Inbox} inbox
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
 * @param {import("./inbox.js").Inbox} inbox
 * @param {import("./purchase.js").PurchaseView} purchase
 * @param {() => void} leave
 * @param {HTMLElement} target
 * @returns {Keys}
 */
function pageKeys(inbox, purchase, leave, target) {
  const moved = purchase.root.contains(target) || isListHidden() ? purchase : inbox;
  return {
    j: () => moved.move(1),
    k: () => moved.move(-1),
    "/": () => find("#search").focus(),
    "?": showHelp,
    b: () => find("#buy").click(),
    f: () => document.getElementById("show-failure")?.click(),
    Escape: leave,
  };
}

function isListHidden() {
  return find("#list").offsetParent === null;
}
