import { countryName } from "./countries.js";
import { element, link } from "./elements.js";
import { productLines } from "./products.js";
import { money } from "./texts.js";
import { variations } from "./variations.js";

/** @typedef {import("./texts.js").Translate} Translate */
/** @typedef {import("./types.js").Address} Address */
/** @typedef {import("./types.js").StepContext} StepContext */
/** @typedef {import("./types.js").ShippingOption} ShippingOption */

/**
 * The second step: products and total, delivery, address, and the button to pay.
 *
 * @param {StepContext} context
 * @returns {HTMLElement}
 */
export function review(context) {
  const { t, view } = context;
  const total = money(view.totals.order_amount, view.purchase_currency, view.locale);
  const pay = element("button", { id: "checkout-button", class: "primary", type: "button", onclick: context.pay }, t("pay", { amount: total }));
  return element(
    "div",
    { id: "review" },
    element("h2", { id: "step-heading", tabindex: "-1" }, t("review")),
    totals(context),
    variations(context),
    shipping(context),
    addresses(context),
    checkboxes(context),
    element("p", { class: "terms" }, t("terms_before"), " ", link(view.terms_url, t("terms_link")), "."),
    element("div", { class: "actions", id: "final-button" }, pay),
  );
}

/**
 * @param {StepContext} context
 * @returns {HTMLElement}
 */
function addresses({ t, view, edit }) {
  const billing = view.billing_address ?? {};
  const delivery = view.shipping_address ?? billing;
  const same = JSON.stringify(addressLines(billing, view.locale)) === JSON.stringify(addressLines(delivery, view.locale));
  return element(
    "section",
    { class: "card addresses", "aria-labelledby": "addresses-heading" },
    element("button", { id: "edit-button", class: "plain", type: "button", onclick: edit }, t("change")),
    element("h3", { id: "addresses-heading" }, same ? t("your_address") : t("billing_address")),
    address(billing, view.locale),
    element("p", { class: "muted" }, billing.email, billing.phone && ` · ${billing.phone}`),
    !same && element("h3", {}, t("shipping_address")),
    !same && address(delivery, view.locale),
  );
}

/**
 * @param {Address} members
 * @param {string} locale
 * @returns {HTMLElement}
 */
function address(members, locale) {
  return element("address", {}, addressLines(members, locale).map((line) => element("span", { dir: "auto" }, line)));
}

/**
 * @param {Address} members
 * @param {string} locale
 * @returns {string[]}
 */
function addressLines(members, locale) {
  const joined = (/** @type {(string | undefined)[]} */ ...parts) => parts.filter(Boolean).join(" ");
  return [
    joined(members.given_name, members.family_name),
    joined(members.street_address),
    joined(members.street_address2),
    joined(members.postal_code, members.city, members.region),
    members.country ? countryName(members.country, locale) : "",
  ].filter(Boolean);
}

/**
 * @param {StepContext} context
 * @returns {HTMLElement | false}
 */
function checkboxes({ t, view, session, perform }) {
  const boxes = view.additional_checkboxes ?? [];
  const previous = view.merchant_requested ?? {};
  const rows = boxes.map(({ id, text }, at) => {
    const box = element("input", { type: "checkbox", id: `checkbox-${at}`, "data-key": id, checked: previous[id] });
    return element("label", { class: "choice", "data-key": id }, box, element("span", { dir: "auto" }, text));
  });
  const answer = (/** @type {Event} */ { currentTarget }) => perform(() => session.answer(answersIn(/** @type {Element} */ (currentTarget))));
  const legend = element("legend", { class: "visually-hidden" }, t("checkboxes"));
  return boxes.length > 0 && element("fieldset", { class: "checkboxes", id: "checkboxes", onchange: answer }, legend, rows);
}

/**
 * @param {Element} place
 * @returns {Record<string, boolean>}
 */
function answersIn(place) {
  /** @type {HTMLInputElement[]} */
  const boxes = [...place.querySelectorAll("input")];
  return Object.fromEntries(boxes.map((box) => [box.dataset.key ?? "", box.checked]));
}

/** Shipping methods that have a text in every language, without spaces and punctuation (klarna.md C-14). */
const METHODS = ["pickupstore", "home", "boxreg", "boxunreg", "pickuppoint", "own", "postal", "dhlpackstation"];

/**
 * The shipping options with their prices.
 *
 * @param {StepContext} context
 * @returns {HTMLElement | false}
 */
function shipping(context) {
  const { t, view } = context;
  const rows = (view.shipping_options ?? []).map((option, at) => row(context, option, at));
  return rows.length > 0 && element("fieldset", { id: "shipping", class: "options" }, element("legend", {}, t("shipping")), rows);
}

/**
 * @param {StepContext} context
 * @param {ShippingOption} option
 * @param {number} at
 * @returns {HTMLElement}
 */
function row({ t, view, session, perform }, option, at) {
  const checked = view.selected_shipping_option?.id === option.id;
  const id = `shipping-option-${at}`;
  const choose = () => perform(() => session.chooseShipping(option.id));
  const radio = element("input", { type: "radio", id, name: "shipping-option", "data-key": option.id, value: option.id, checked, onchange: choose });
  const price = option.price ? money(option.price, view.purchase_currency, view.locale) : t("free");
  const details = [option.description, method(t, option), ...delivery(t, option, view.locale)].filter((text) => text && text !== option.name);
  return element(
    "label",
    { class: "option", for: id, "data-key": option.id },
    radio,
    element(
      "span",
      { class: "option-text" },
      element("span", { class: "option-name" }, element("bdi", {}, option.name), option.promo && element("span", { class: "promo" }, option.promo)),
      details.map((text) => element("span", { class: "muted" }, element("bdi", {}, text))),
    ),
    element("span", { class: "price" }, price),
  );
}

/**
 * @param {Translate} t
 * @param {ShippingOption} option
 * @returns {string}
 */
function method(t, { shipping_method = "" }) {
  const name = shipping_method.toLowerCase().replace(/[^a-z]/g, "");
  return METHODS.includes(name) ? t(`method_${name}`) : "";
}

/**
 * @param {Translate} t
 * @param {ShippingOption} option
 * @param {string} locale
 * @returns {string[]}
 */
function delivery(t, { delivery_details: details }, locale) {
  const carrier = details?.carrier ? t("carrier", { carrier: details.carrier }) : "";
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

/**
 * The order lines, the delivery, the total, and the tax in it.
 *
 * @param {StepContext} context
 * @returns {HTMLElement}
 */
function totals(context) {
  const { t, view } = context;
  const price = (/** @type {number} */ minor) => money(minor, view.purchase_currency, view.locale);
  const option = view.selected_shipping_option;
  return element(
    "section",
    { class: "card totals", "aria-labelledby": "totals-heading" },
    element("h3", { id: "totals-heading", class: "visually-hidden" }, t("summary")),
    productLines(context),
    element(
      "dl",
      {},
      option && pair(t("shipping_line", { name: option.name }), option.price ? price(option.price) : t("free")),
      pair(t("total"), price(view.totals.order_amount), "total"),
      pair(t("tax"), price(view.totals.order_tax_amount), "muted"),
    ),
  );
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
