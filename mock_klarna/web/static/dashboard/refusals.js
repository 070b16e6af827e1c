/** What the integration gets wrong: the refused requests by operation and rule, with the last example. */

import { currentView } from "./address.js";
import { call, withQuery } from "./api.js";
import { openDialog } from "./dialogs.js";
import { counted, element, words } from "./elements.js";

/** @typedef {import("./elements.js").Json} Json */

const MAX_PATHS = 5;

/** @param {(purchase: string) => void} open shows a purchase */
export async function showRefusals(open) {
  const { merchant } = currentView();
  const { refusals, requests, dropped, total } = await call("GET", withQuery("/_mock/refusals", { merchant }));
  const whose = `${counted(requests, "request")} of ${merchant || "all merchants"} ${requests === 1 ? "was" : "were"} refused`;
  const gap = dropped ? ` The journal has dropped ${dropped} entries; refusals among them are not counted.` : "";
  const rows = refusals.map((/** @type {Json} */ group) => row(group, (id) => [dialog.close(), open(id)]));
  const dialog = openDialog(
    "Refusals",
    element("p", {}, `${whose}.${gap}`),
    rows.length ? table(["Times", "Operation and rule", "Members", "Last example"], rows) : element("p.none", {}, "Nothing was refused."),
    ...(total > rows.length ? [element("p.none", {}, `and ${total - rows.length} further rules`)] : []),
  );
  dialog.classList.add("wide");
}

/**
 * A table that scrolls sideways on narrow screens.
 * @param {string[]} names
 * @param {HTMLElement[]} rows
 */
export function table(names, rows) {
  const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)));
  const made = element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
  return element("div.differences", { tabindex: 0, role: "group", "aria-label": "Table" }, made);
}

/**
 * @param {Json} group
 * @param {(purchase: string) => void} open
 */
function row({ operation, rule, count, paths, last }, open) {
  const members = paths.slice(0, MAX_PATHS).map((/** @type {Json} */ each) => element("li", {}, `${each.path || "the body"}${each.count > 1 ? ` (${each.count})` : ""}`));
  const why = last.problem ? `expected ${last.problem.expected}` : last.explanation ?? "";
  const entry = last.purchase_id
    ? element("button.link", { type: "button", click: () => open(last.purchase_id) }, "Show the purchase")
    : element("a", { href: `/_mock/journal/${last.seq}`, target: "_blank", rel: "noopener" }, `Entry ${last.seq}`);
  return element(
    "tr",
    {},
    element("td", {}, `${count} ×`),
    element("th", { scope: "row" }, words(operation), element("br"), element("code.path", {}, rule ?? `answered ${last.status}`)),
    element("td", {}, element("ul", {}, ...members)),
    element("td", {}, element("p", {}, why), entry),
  );
}
