import { recall, remember } from "./memory.js";

/** @typedef {import("./types.js").View} View */

/** Tells the page around what its handlers wait for, each event once and in order (klarna.md §6.5). */
export class Events {
  /** @param {import("./host.js").Host} host */
  constructor(host) {
    this.host = host;
    /** @type {View | null} */
    this.last = null;
  }

  /**
   * Send what is new in a view. A dialog that is opened again goes on silently.
   *
   * @param {View} view
   */
  tell(view) {
    const { last } = this;
    this.last = view;
    if (!last) return this.initiated(view);
    if (view.identified && who(view) !== who(last)) this.send("identification_updated", view);
    if (view.selected_shipping_option?.id !== last.selected_shipping_option?.id) this.send("shipping_updated", view);
  }

  /** @param {View} view */
  initiated(view) {
    const name = `initiated:${view.session_id}`;
    if (recall(name) === null) this.send("session_initiated", view);
    remember(name, "");
  }

  /** @param {View} view */
  confirmed(view) {
    this.send("confirmation_displayed", view);
  }

  /**
   * @param {string} name
   * @param {View} view
   */
  send(name, view) {
    const { country = view.purchase_country, postal_code } = view.billing_address ?? {};
    const option = view.selected_shipping_option;
    const chosen = option ? { customer_selected_shipping_option: { reference: option.id } } : {};
    this.host.send("event", { name, payload: { customer_country: country, customer_postal_code: postal_code, ...chosen } });
  }
}

/**
 * @param {View} view
 * @returns {string}
 */
function who({ identified, billing_address, shipping_address }) {
  return JSON.stringify([identified, billing_address, shipping_address]);
}
