/** What the page shows, in its own URL, so that a link shows the same. The names are those of the API's parameters. */

import { withQuery } from "./api.js";

/**
 * @typedef {object} View
 * @property {string} merchant
 * @property {string} state
 * @property {string} search a text that is searched for in the purchases that the API returned
 * @property {string} purchase_id the purchase that is open
 * @property {string} view `findings`, or "" for purchases
 */

const NAMES = /** @type {const} */ (["merchant", "state", "search", "purchase_id", "view"]);

/**
 * Return what the URL asks for.
 * @returns {View}
 */
export function currentView() {
  const query = new URLSearchParams(location.search);
  const [merchant, state, search, purchase_id, view] = NAMES.map((name) => query.get(name) ?? "");
  return { merchant, state, search, purchase_id, view };
}

/**
 * Return the path of an endpoint for the merchant of the URL, or for all.
 * @param {string} path
 * @param {import("./elements.js").Json} [parameters]
 */
export function forMerchant(path, parameters = {}) {
  return withQuery(path, { merchant: currentView().merchant, ...parameters });
}

/**
 * Change the URL; Back returns from an opened purchase and from another view.
 * @param {Partial<View>} changed
 */
export function changeView(changed) {
  const view = { ...currentView(), ...changed };
  const query = new URLSearchParams(location.search);
  for (const name of NAMES) {
    query.delete(name);
    if (view[name]) {
      query.set(name, view[name]);
    }
  }
  const address = query.size ? `?${query}` : location.pathname;
  if (address === location.search || (address === location.pathname && !location.search)) {
    return;
  }
  history[changed.purchase_id || changed.view ? "pushState" : "replaceState"](null, "", address);
}
