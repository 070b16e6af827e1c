/** What can be done with a placed order: end its review, and Klarna's Order Management with the credentials of the merchant. */

import { basic, call, withQuery } from "./api.js";
import { choice, field, formOf, openDialog } from "./dialogs.js";
import { announce, element, money } from "./elements.js";

/** @typedef {import("./elements.js").Json} Json */

/** The end of the path and the member with the amount. @type {Record<string, [string, string]>} */
const REQUESTS = { capture: ["captures", "captured_amount"], refund: ["refunds", "refunded_amount"], cancel: ["cancel", ""] };

/**
 * End the fraud review of an order.
 * @param {string} order
 * @param {string} status
 */
export async function decide(order, status) {
  try {
    await call("POST", `/_mock/orders/${encodeURIComponent(order)}/decision`, { fraud_status: status });
    announce(`The review ended: ${status}`);
  } catch (error) {
    announce(String(error), true);
  }
}

/**
 * The username of a merchant; where regions are separate, the one that means this merchant at any address of the server.
 * @param {string} merchant
 */
async function usernameOf(merchant) {
  const { merchants } = await call("GET", withQuery("/_mock/merchants", { merchant, limit: 1 }));
  const host = merchants[0]?.api_host;
  return !host || merchant.endsWith(`@${host}`) ? merchant : `${merchant}@${host}`;
}

/**
 * Open the dialog with which an order is captured, refunded or cancelled.
 * @param {Json} purchase
 */
export async function manageOrder(purchase) {
  const currency = purchase.order?.purchase_currency;
  const path = `/ordermanagement/v1/orders/${encodeURIComponent(purchase.order_id)}`;
  const managed = (await call("GET", `/_mock/orders/${encodeURIComponent(purchase.order_id)}`)).order_management ?? {};
  const user = await usernameOf(purchase.merchant);
  const [remaining, refundable] = [managed.remaining_authorized_amount, managed.captured_amount - managed.refunded_amount];
  const first = !remaining && refundable ? "refund" : "capture";
  const action = /** @type {HTMLSelectElement} */ (choice("action", [["capture", "Capture"], ["refund", "Refund"], ["cancel", "Cancel"]], first));
  const amount = /** @type {HTMLInputElement} */ (element("input", { name: "amount", type: "number", min: 1, value: remaining || refundable || 0 }));
  action.addEventListener("change", () => {
    amount.value = String(action.value === "refund" ? refundable : remaining);
    amount.disabled = action.value === "cancel";
  });
  const dialog = openDialog(
    "Capture, refund, cancel",
    element(
      "p",
      {},
      `Status ${managed.status}. Captured ${money(managed.captured_amount, currency)}, refunded ${money(managed.refunded_amount, currency)}, `,
      `remaining ${money(remaining, currency)}. The request is sent to Klarna's API as ${user}.`,
    ),
    formOf(
      "Send",
      async (values) => {
        const [way, member] = REQUESTS[values.action];
        const body = member ? { [member]: Number(values.amount) } : undefined;
        await call("POST", `${path}/${way}`, body, basic(user, values.password));
        dialog.close();
        announce(`The order: ${values.action} was accepted`);
      },
      field("Action", action),
      field("Amount in minor units", amount),
      field("Password of the merchant", element("input", { name: "password", value: "test", autocomplete: "off" })),
    ),
  );
}
