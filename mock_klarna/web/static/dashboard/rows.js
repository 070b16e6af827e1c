/** What the list of purchases keeps of each. */

import { shopper } from "./elements.js";

/** @typedef {import("./elements.js").Json} Json */

/**
 * What the list needs of a purchase: the bodies of thousands of orders would fill the memory of the page.
 * @typedef {object} Row
 * @property {string} purchase_id
 * @property {string} merchant
 * @property {string} state
 * @property {string} created_at
 * @property {number|null} order_amount
 * @property {string|undefined} currency
 * @property {string} shopper
 * @property {boolean} isComplete whether the purchase had an order when it was read
 * @property {number} time
 * @property {number} number the order of purchases of the same second: higher ones are newer
 * @property {string} text what is searched, in lower case, beside the state
 */

/** @param {Json} part */
function textsOf(part) {
  return Object.values(part ?? {}).filter((value) => typeof value === "string");
}

/**
 * Take over what an event says about a purchase.
 * @param {Row} row
 * @param {Json} event
 * @param {string} state the state of the purchase after the event
 */
export function followEvent(row, { order_amount, order_id, customer_token, deny_code, deny_message }, state) {
  row.state = state;
  row.order_amount = order_amount ?? row.order_amount;
  row.text = [row.text, ...textsOf({ order_id, customer_token, deny_code, deny_message })].join("\n").toLowerCase();
}

/**
 * @param {Json} purchase
 * @param {number} number
 * @returns {Row}
 */
export function rowOf(purchase, number) {
  const { order, state, ...own } = purchase;
  const { billing_address: address, merchant_reference1: reference, order_lines: lines } = order ?? {};
  const names = (lines ?? []).map((/** @type {Json} */ line) => line?.name);
  const searched = [own, own.deny, address].flatMap(textsOf);
  return {
    purchase_id: purchase.purchase_id,
    merchant: purchase.merchant,
    state,
    created_at: purchase.created_at,
    order_amount: purchase.order_amount ?? order?.order_amount,
    currency: order?.purchase_currency,
    shopper: shopper(purchase),
    isComplete: Boolean(order),
    time: Date.parse(purchase.created_at),
    number,
    text: [shopper(purchase), ...searched, reference, ...names].join("\n").toLowerCase(),
  };
}
