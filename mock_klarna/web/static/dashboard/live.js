/** The purchases of the running server: their data, and what can be done with them. */

import { currentView } from "./address.js";
import { call, withQuery } from "./api.js";
import { announce, element, words } from "./elements.js";
import { decide, manageOrder } from "./orders.js";
import { sendAgain, sendChanged } from "./resend.js";

/** @typedef {import("./elements.js").Json} Json */

const MAX_ENTRIES = 1000;

/** @type {import("./purchase.js").Source} */
export const live = {
  origin: location.origin,
  current: () => currentView().purchase_id,
  load,
  purchaseButtons,
  entryButtons,
  resend: (entry) => sendAgain(entry.callback_id, entry.name),
};

const NOTHING = { id: "", position: 0, entries: /** @type {Json[]} */ ([]) };
/** The purchase that was loaded last: what is added to its journal is loaded alone. */
let last = NOTHING;

/** Load everything again: after a reset or a new start of the server, another purchase can have the same id, and other entries the same positions. */
export function forgetLoaded() {
  last = NOTHING;
}

/** @param {string} id */
async function load(id) {
  const start = last;
  const known = start.id === id ? start : NOTHING;
  const path = `/_mock/purchases/${encodeURIComponent(id)}`;
  const query = { purchase_id: id, limit: MAX_ENTRIES, ...(known.position ? { after: known.position } : { order: "newest" }) };
  const [purchase, journal, calls] = await Promise.all([
    call("GET", path),
    call("GET", withQuery("/_mock/journal", query)),
    call("GET", `${path}/page-calls`),
  ]);
  if (known.position && journal.entries.length === MAX_ENTRIES) {
    forgetLoaded(); // there may be more of them, and the newest are shown
    return load(id);
  }
  const found = [...journal.entries, ...calls.entries].sort((one, other) => one.seq - other.seq);
  const isAnew = found.some((entry) => entry.name === "session_initiated"); // after a reset with a seed
  const entries = added(isAnew ? [] : known.entries, found).slice(-MAX_ENTRIES);
  if (last === start) {
    last = { id, position: Math.max(known.position, journal.position), entries };
  }
  return { purchase, entries };
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
    const click = () => manageOrder(purchase).catch((error) => announce(String(error), true));
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
