/** The page of an exported purchase: the dashboard's view of it, with the data that is in the file. */

import { element, find } from "./elements.js";
import { PurchaseView } from "./purchase.js";

/** @typedef {import("./elements.js").Json} Json */

/** @type {Json} */
const data = JSON.parse(find("#export").textContent ?? "");
const about = `exported ${data.exported_at.slice(0, 19).replace("T", " ")} UTC from ${data.url}, mock-klarna ${data.version}`;

document.body.append(
  element("header", { id: "bar" }, element("h1", {}, "mock-klarna"), element("span.merchant", {}, about)),
  element("main", {}, element("section", { id: "purchase", "aria-label": "Purchase" })),
  element("p", { id: "status", role: "status" }),
);
const view = new PurchaseView(
  {
    origin: data.url,
    current: () => data.purchase.purchase_id,
    load: async () => ({ purchase: data.purchase, entries: data.entries, left_out: data.left_out }),
    purchaseButtons: () => [],
    entryButtons: () => [],
  },
  null,
);
void view.show();

/** @type {Record<string, () => void>} */
const keys = { j: () => view.move(1), k: () => view.move(-1), f: () => document.getElementById("show-failure")?.click() };
document.addEventListener("keydown", (event) => {
  if (!event.ctrlKey && !event.metaKey && !event.altKey) {
    keys[event.key]?.();
  }
});
