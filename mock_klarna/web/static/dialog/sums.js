import { element } from "./elements.js";
import { money } from "./money.js";

/** @typedef {import("./identification.js").Desk} Desk */

/**
 * The lines of the order, what they come to, and the tax in it.
 *
 * @param {Desk} desk
 * @returns {HTMLElement}
 */
export function sums({ say, view }) {
  const price = (/** @type {number} */ minor) => money(minor, view.purchase_currency, view.locale);
  const option = view.selected_shipping_option;
  return element(
    "section",
    { class: "card sums", "aria-labelledby": "sums-heading" },
    element("h3", { id: "sums-heading" }, say("summary")),
    element(
      "dl",
      {},
      view.order_lines.map((line) => pair(counted(line), price(line.total_amount))),
      option && pair(say("shipping_line", { name: option.name }), option.price ? price(option.price) : say("free")),
      pair(say("total"), price(view.totals.order_amount), "total"),
      pair(say("tax"), price(view.totals.order_tax_amount), "quiet"),
    ),
  );
}

/**
 * In one line, what is about to be bought and for how much.
 *
 * @param {Desk} desk
 * @returns {HTMLElement | false}
 */
export function gist({ view }) {
  const names = view.order_lines.map(counted);
  const amount = money(view.totals.order_amount, view.purchase_currency, view.locale);
  return names.length > 0 && element("p", { class: "card gist" }, element("span", {}, names.join(", ")), element("strong", { class: "price" }, amount));
}

/**
 * @param {import("./types.js").Line} line
 * @returns {string}
 */
function counted({ quantity, name }) {
  return quantity === 1 ? name : `${quantity} × ${name}`;
}

/**
 * @param {string} term
 * @param {string} value
 * @param {string} style
 * @returns {HTMLElement}
 */
function pair(term, value, style = "") {
  return element("div", { class: style }, element("dt", {}, term), element("dd", {}, value));
}
