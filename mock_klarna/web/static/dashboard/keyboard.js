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
    const isInList = target.id === "list";
    if (target.matches("input, select, textarea")) {
      if (event.key === "Escape" || (event.key === "Enter" && target.id === "search")) {
        event.preventDefault();
        inbox.move(0);
      }
      return;
    }
    const isInPurchase = purchase.root.contains(target) || (!isInList && isListHidden());
    const by = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key] ?? 0;
    if (by && (event.key.length === 1 || isInList)) {
      (isInPurchase ? purchase : inbox).move(by);
    } else if (event.key === "Enter" && isInList) {
      inbox.chooseActive();
    } else if (event.key === "Home" && isInList) {
      inbox.activate(0);
    } else if (event.key === "End" && isInList) {
      inbox.activate(inbox.rows.length - 1);
    } else if (!single(event.key, leave)) {
      return;
    }
    event.preventDefault();
  });
}

function isListHidden() {
  return find("#list").offsetParent === null;
}

/**
 * @param {string} key
 * @param {() => void} leave
 * @returns {boolean} whether the key does something
 */
function single(key, leave) {
  /** @type {Record<string, () => void>} */
  const keys = {
    "/": () => find("#search").focus(),
    "?": showHelp,
    b: () => find("#buy").click(),
    f: () => document.getElementById("show-failure")?.click(),
    Escape: leave,
  };
  keys[key]?.();
  return key in keys;
}
