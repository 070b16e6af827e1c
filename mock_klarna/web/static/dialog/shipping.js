import { element } from "./elements.js";
import { money } from "./money.js";

/** @typedef {import("./identification.js").Desk} Desk */
/** @typedef {import("./types.js").ShippingOption} ShippingOption */
/** @typedef {import("./texts.js").Say} Say */

/** Shipping methods that have a name of their own in every language, by their letters alone (klarna.md C-14). */
const METHODS = ["pickupstore", "home", "boxreg", "boxunreg", "pickuppoint", "own", "postal", "dhlpackstation"];

/**
 * The shipping options with their prices.
 *
 * @param {Desk} desk
 * @returns {HTMLElement | false}
 */
export function shipping(desk) {
  const { say, view } = desk;
  const rows = (view.shipping_options ?? []).map((option, at) => row(desk, option, at));
  return rows.length > 0 && element("fieldset", { id: "shipping", class: "options" }, element("legend", {}, say("shipping")), rows);
}

/**
 * @param {Desk} desk
 * @param {ShippingOption} option
 * @param {number} at
 * @returns {HTMLElement}
 */
function row({ say, view, session, perform }, option, at) {
  const checked = view.selected_shipping_option?.id === option.id;
  const id = `shipping-option-${at}`;
  const radio = element("input", { type: "radio", id, name: "shipping-option", value: option.id, checked, onchange: () => perform(() => session.chooseShipping(option.id)) });
  const price = option.price ? money(option.price, view.purchase_currency, view.locale) : say("free");
  const details = [option.description, method(say, option), ...delivery(say, option, view.locale)].filter(Boolean);
  return element(
    "label",
    { class: "option", for: id },
    radio,
    element(
      "span",
      { class: "option-text" },
      element("span", { class: "option-name" }, option.name, option.promo && element("span", { class: "promo" }, option.promo)),
      details.map((text) => element("span", { class: "quiet" }, text)),
    ),
    element("span", { class: "price" }, price),
  );
}

/**
 * @param {Say} say
 * @param {ShippingOption} option
 * @returns {string}
 */
function method(say, { shipping_method = "" }) {
  const letters = shipping_method.toLowerCase().replace(/[^a-z]/g, "");
  return METHODS.includes(letters) ? say(`method_${letters}`) : "";
}

/**
 * @param {Say} say
 * @param {ShippingOption} option
 * @param {string} locale
 * @returns {string[]}
 */
function delivery(say, { delivery_details: details }, locale) {
  const carrier = details?.carrier ? say("carrier", { carrier: details.carrier }) : "";
  const place = [details?.location?.name, details?.location?.address?.street_address].filter(Boolean).join(", ");
  return [carrier, place, timeslot(details?.timeslot, locale)];
}

/**
 * @param {{start?: string, end?: string} | undefined} slot
 * @param {string} locale
 * @returns {string}
 */
function timeslot(slot, locale) {
  const [start, end] = [new Date(slot?.start ?? ""), new Date(slot?.end ?? "")];
  if (Number.isNaN(start.getTime()) || Number.isNaN(end.getTime())) return "";
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).formatRange(start, end);
}
