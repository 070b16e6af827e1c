/** The purchases of the running server: their data, and what can be done with them. */

import { currentView } from "./address.js";
import { call, withQuery } from "./api.js";
import { element, words } from "./elements.js";
import { decide, manageOrder } from "./orders.js";
import { sendAgain, sendChanged } from "./resend.js";
import { isFailure } from "./steps.js";

/** @typedef {import("./elements.js").Json} Json */

const MOST_ENTRIES = 1000;
/** What lib.js calls for a button before there is a session. */
const PAGE_CALLS = ["sdk_load", "sdk_problem"];
const MOST_CALLS = 200;
const MOST_EARLIER = 5;
const EARLIEST_MS = 3600000;

/** @type {import("./purchase.js").Source} */
export const live = {
  origin: location.origin,
  current: () => currentView().purchase_id,
  load,
  purchaseButtons,
  entryButtons,
  resend: (entry) => sendAgain(entry.callback_id, entry.name),
};

/** The purchase that was loaded last, with the last position of each list: what is added to its journal is loaded alone. */
let last = { id: "", positions: [0, 0, 0], entries: /** @type {Json[]} */ ([]) };

/** @param {string} id */
async function load(id) {
  const { positions, entries } = last.id === id ? last : { positions: [0, 0, 0], entries: [] };
  const purchase_id = id;
  const [purchase, own] = await Promise.all([
    call("GET", `/_mock/purchases/${encodeURIComponent(id)}`),
    entriesAfter(positions[0], { purchase_id, limit: MOST_ENTRIES }),
  ]);
  const calls = await Promise.all(
    PAGE_CALLS.map((name, at) => entriesAfter(positions[at + 1], { name, merchant: purchase.merchant, limit: MOST_CALLS })),
  );
  const found = [...own, ...callsOf(purchase, calls.flat())].sort((one, other) => one.seq - other.seq);
  const lists = [own, ...calls];
  last = {
    id,
    positions: positions.map((position, at) => Math.max(position, ...lists[at].map(({ seq }) => seq))),
    entries: added(entries, found).slice(-MOST_ENTRIES),
  };
  return { purchase, entries: last.entries };
}

/**
 * The entries of the journal after a position, or the newest ones at first.
 * @param {number} after
 * @param {Json} filter
 * @returns {Promise<Json[]>}
 */
async function entriesAfter(after, filter) {
  return (await call("GET", withQuery("/_mock/journal", { ...filter, ...(after ? { after } : { order: "newest" }) }))).entries;
}

/**
 * Of calls of the page that are about no session: the last ones before the purchase for its button, and what was wrong later.
 * @param {Json} purchase
 * @param {Json[]} calls
 */
function callsOf(purchase, calls) {
  const start = Date.parse(purchase.created_at);
  const own = calls.filter(({ request_body: body }) => (body?.options?.setup?.key ?? body?.key) === purchase.button_key);
  const earlier = own.filter(({ at }) => Date.parse(at) <= start && Date.parse(at) > start - EARLIEST_MS);
  const later = own.filter((entry) => Date.parse(entry.at) > start && isFailure(entry));
  return [...earlier.sort((one, other) => one.seq - other.seq).slice(-MOST_EARLIER), ...later];
}

/**
 * Entries with further ones, by when they began: requests and callbacks are recorded when they end.
 * @param {Json[]} entries
 * @param {Json[]} found
 */
function added(entries, found) {
  const all = [...entries];
  for (const entry of found.filter(({ seq }) => !entries.some((known) => known.seq === seq))) {
    let at = all.length;
    while (entry.kind !== "event" && at && all[at - 1].name !== "clock_moved" && all[at - 1].at > entry.at) {
      at -= 1;
    }
    all.splice(at, 0, entry);
  }
  return all;
}

/** @param {Json} purchase */
function purchaseButtons(purchase) {
  const newest = new Map((purchase.callbacks ?? []).map((/** @type {Json} */ sent) => [sent.kind, sent]));
  const made = [...newest.values()].map((sent) => {
    const click = () => sendAgain(sent.callback_id, sent.kind);
    return element("button", { type: "button", id: `resend-${sent.kind}`, click }, `Send ${words(sent.kind)} again`);
  });
  if (purchase.fraud_status === "PENDING" && purchase.order_id) {
    for (const [status, text] of [["ACCEPTED", "Accept review"], ["REJECTED", "Reject review"]]) {
      const click = () => decide(purchase.order_id, status);
      made.push(element("button", { type: "button", id: `decide-${status}`, click }, text));
    }
  }
  if (purchase.order_id) {
    const click = () => manageOrder(purchase);
    made.push(element("button", { type: "button", id: "manage", click }, "Capture, refund, cancel…"));
  }
  const path = `/_mock/purchases/${encodeURIComponent(purchase.purchase_id)}/export`;
  const files = [["html", "Export HTML"], ["har", "Export HAR"]].map(([kind, text]) =>
    element("a.button", { href: `${path}.${kind}`, download: "", id: `export-${kind}` }, text),
  );
  return [...made, ...files];
}

/** @param {Json} entry */
function entryButtons(entry) {
  const link = element("a", { href: `/_mock/journal/${entry.seq}`, target: "_blank", rel: "noopener" }, "JSON");
  if (entry.kind !== "callback") {
    return [link];
  }
  const again = element("button", { type: "button", click: () => sendAgain(entry.callback_id, entry.name) }, "Send again");
  return [again, element("button", { type: "button", click: () => sendChanged(entry) }, "Send changed…"), link];
}
