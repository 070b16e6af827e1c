/** The dashboard: makes the page, and connects the list, the opened purchase and the actions. */

import { buy, orderFaults, runScenarios, showFaults, showMore } from "./actions.js";
import { changeView, currentView } from "./address.js";
import { moveClock, showClock } from "./clock.js";
import { choice } from "./dialogs.js";
import { announce, element, find, words } from "./elements.js";
import { copyText } from "./exchange.js";
import { FindingsView } from "./findings.js";
import { Inbox } from "./inbox.js";
import { listenToKeys, showHelp } from "./keyboard.js";
import { forgetLoaded, live } from "./live.js";
import { Merchants } from "./merchants.js";
import { PurchaseView } from "./purchase.js";
import { showRefusals } from "./refusals.js";
import { showSettings } from "./settings.js";
import { keepSnapshots } from "./snapshots.js";
import { Store } from "./store.js";

const REFRESH_MS = 15000;
const CHECK_MS = 5000;
const MERCHANTS_MS = 60000;
const STATES = ["started", "authorized", "placed", "denied", "declined", "timed_out", "expired", "failed"];

/**
 * @param {string} id
 * @param {string} text
 * @param {() => unknown} act
 */
function button(id, text, act) {
  const click = async () => {
    try {
      await act();
    } catch (error) {
      announce(String(error), true);
    }
  };
  return element(id === "buy" ? "button.primary" : "button", { type: "button", id, click }, text);
}

function filters() {
  const states = choice("state", [["", "All states"], ...STATES.map((name) => /** @type {[string, string]} */ ([name, words(name)]))]);
  const merchants = choice("merchant", [["", "All merchants"]]);
  states.id = "state";
  merchants.id = "merchant";
  states.setAttribute("aria-label", "State");
  merchants.setAttribute("aria-label", "Merchant");
  const search = element("input", { id: "search", type: "search", placeholder: "Search  /", "aria-label": "Search" });
  return element("div.filters", { role: "search" }, search, merchants, states);
}

/** Copy the address of what is shown. */
function copyLink() {
  return copyText(location.href);
}

function makePage() {
  const bar = element(
    "header",
    { id: "bar" },
    element("h1", {}, "mock-klarna"),
    element("span", { id: "live", role: "status" }, "connecting"),
    element(
      "nav",
      { "aria-label": "Actions" },
      button("findings", "Findings", showFindings),
      button("refusals", "Refusals", () => showRefusals(open)),
      button("snapshots", "Snapshots", () => keepSnapshots(reload, showMerchant)),
      button("settings", "Settings", showSettings),
      button("more", "More", () => showMore(reload)),
      button("help", "?", showHelp),
      button("clock", "Clock", () => moveClock(open)),
      button("faults", "Faults", orderFaults),
      button("scenarios", "Scenarios", () => runScenarios(showMerchant)),
      button("buy", "Buy", () => buy(open)),
    ),
  );
  document.body.append(
    bar,
    element(
      "main",
      {},
      element(
        "section",
        { id: "inbox", "aria-label": "Purchases" },
        filters(),
        element("div.under", {}, element("p", { id: "count", role: "status" }), button("link", "Copy link", copyLink)),
        element("p", { id: "empty", hidden: true }),
        element("div", { id: "list", role: "listbox", tabindex: 0, "aria-label": "Purchases" }, element("div", { id: "rows", role: "presentation" })),
      ),
      element("section", { id: "purchase", "aria-label": "Purchase" }),
      element("section", { id: "findings-view", "aria-label": "Findings" }),
    ),
    element("p", { id: "status", role: "status" }),
  );
}

makePage();
const store = new Store();
const inbox = new Inbox(store, open);
const merchants = new Merchants(/** @type {HTMLSelectElement} */ (find("#merchant")));
const purchase = new PurchaseView(live, leave);
const findings = new FindingsView(showStep);
/** Loads the list again after it failed. @type {number|undefined} */
let retry;

/** @param {string} id */
function open(id) {
  changeView({ purchase_id: id, view: "" });
  void findings.show();
  void purchase.show().then(() => {
    if (currentView().purchase_id === id) {
      document.getElementById("purchase-title")?.focus({ preventScroll: true });
    }
  });
}

function leave() {
  changeView({ purchase_id: "", view: "" });
  void findings.show();
  void purchase.show();
  inbox.move(0);
}

function showFindings() {
  changeView({ view: "findings" });
  void findings.show().then(() => document.getElementById("findings-title")?.focus({ preventScroll: true }));
}

/**
 * Open the purchase of an entry at that entry; return false if the purchase does not show it.
 * @param {import("./elements.js").Json} entry
 */
async function showStep(entry) {
  const before = currentView();
  changeView({ purchase_id: entry.purchase_id, view: "" });
  await purchase.show();
  if (!purchase.has(entry.seq)) {
    changeView(before);
    void purchase.show();
    return false;
  }
  void findings.show();
  purchase.reveal(entry.seq);
  return true;
}

/** @param {string} merchant */
function showMerchant(merchant) {
  changeView({ merchant, purchase_id: "" });
  showView();
}

function reload() {
  changeView({ purchase_id: "" });
  showView();
}

function showFilters() {
  const { merchant, state, search } = currentView();
  merchants.show(store.merchants, merchant);
  /** @type {HTMLSelectElement} */ (find("#state")).value = state;
  const field = /** @type {HTMLInputElement} */ (find("#search"));
  if (field !== document.activeElement) {
    field.value = search;
  }
}

function showView() {
  forgetLoaded();
  showParts();
  clearTimeout(retry);
  store.load().catch((error) => {
    announce(String(error), true);
    retry = setTimeout(showView, CHECK_MS);
  });
  refreshBar();
  refreshMerchants();
}

/** Show what the URL asks for beside the list. */
function showParts() {
  const { state } = currentView();
  if (state && !STATES.includes(state)) {
    changeView({ state: "" }); // a link with a mistake shows all states
  }
  showFilters();
  void purchase.show();
  void findings.show();
}

function refreshMerchants() {
  merchants.load().then(showFilters, () => undefined);
}

function refreshBar() {
  showClock().catch(() => undefined);
  showFaults().catch(() => undefined);
}

find("#merchant").addEventListener("change", (event) => {
  const merchant = /** @type {HTMLSelectElement} */ (event.target).value;
  const isOfOther = merchant && purchase.purchase && purchase.purchase.merchant !== merchant;
  changeView(isOfOther ? { merchant, purchase_id: "" } : { merchant });
  showView();
});
find("#state").addEventListener("change", (event) => {
  changeView({ state: /** @type {HTMLSelectElement} */ (event.target).value });
  showView();
});
find("#search").addEventListener("input", (event) => {
  changeView({ search: /** @type {HTMLInputElement} */ (event.target).value });
  inbox.refresh();
});
store.addEventListener("list", showFilters);
store.addEventListener("entries", (event) => {
  const entries = /** @type {CustomEvent} */ (event).detail;
  purchase.take(entries);
  findings.take();
  if (entries.some((/** @type {import("./elements.js").Json} */ entry) => entry.injected || ["clock_moved", "fault_created"].includes(entry.name))) {
    refreshBar();
  }
});
store.addEventListener("skipped", () => {
  purchase.refresh();
  findings.take();
});
store.addEventListener("live", () => {
  find("#live").textContent = store.isLive ? "live" : "connecting";
  find("#live").classList.toggle("on", store.isLive);
});
store.addEventListener("outdated", () => {
  purchase.forgetLines();
  showView();
});
addEventListener("popstate", () => {
  /** @type {HTMLDialogElement|null} */ (document.querySelector("dialog[open]"))?.close(); // it is about what was shown
  if (store.isCurrent()) {
    showParts(); // the list keeps its place
    inbox.refresh();
  } else {
    showView();
  }
});
for (const name of ["pointerdown", "keydown"]) {
  /** @param {PointerEvent|KeyboardEvent} event */
  const forget = (event) => {
    const isCopying = event.ctrlKey || event.metaKey; // a text that could not be copied is shown there
    if (!isCopying && !find("#status").contains(/** @type {Node} */ (event.target))) {
      announce("");
    }
  };
  addEventListener(name, /** @type {EventListener} */ (forget), { capture: true });
}
listenToKeys(inbox, purchase, leave);
setInterval(refreshBar, REFRESH_MS);
setInterval(() => store.isLive && store.check().catch(() => undefined), CHECK_MS);
setInterval(refreshMerchants, MERCHANTS_MS);
showView();
