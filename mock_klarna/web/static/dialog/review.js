import { variations } from "./choosing.js";
import { countryName } from "./countries.js";
import { element } from "./elements.js";
import { link } from "./links.js";
import { money } from "./money.js";
import { shipping } from "./shipping.js";
import { sums } from "./sums.js";

/** @typedef {import("./identification.js").Desk} Desk */
/** @typedef {import("./types.js").Address} Address */

/**
 * Step two: what is bought, how it is delivered, what it costs, and the final button.
 *
 * @param {Desk} desk
 * @returns {HTMLElement}
 */
export function review(desk) {
  const { say, view } = desk;
  const total = money(view.totals.order_amount, view.purchase_currency, view.locale);
  const pay = element("button", { id: "checkout-button", class: "primary", type: "button", onclick: desk.pay }, say("pay", { amount: total }));
  return element(
    "div",
    { id: "review" },
    element("h2", { id: "step-heading", tabindex: "-1" }, say("review")),
    variations(desk),
    addresses(desk),
    shipping(desk),
    checkboxes(desk),
    sums(desk),
    element("p", { class: "terms" }, say("terms_before"), " ", link(view.terms_url, say("terms_link")), "."),
    element("div", { class: "last" }, pay),
  );
}

/**
 * @param {Desk} desk
 * @returns {HTMLElement}
 */
function addresses({ say, view, edit }) {
  const billing = view.billing_address ?? {};
  const delivery = view.shipping_address ?? billing;
  const same = JSON.stringify(where(billing, view.locale)) === JSON.stringify(where(delivery, view.locale));
  return element(
    "section",
    { class: "card addresses", "aria-labelledby": "addresses-heading" },
    element("h3", { id: "addresses-heading" }, same ? say("your_address") : say("billing_address")),
    address(billing, view.locale),
    element("p", { class: "quiet" }, billing.email, billing.phone && ` · ${billing.phone}`),
    !same && element("h3", {}, say("shipping_address")),
    !same && address(delivery, view.locale),
    element("button", { id: "edit-button", class: "plain", type: "button", onclick: edit }, say("change")),
  );
}

/**
 * @param {Address} given
 * @param {string} locale
 * @returns {HTMLElement}
 */
function address(given, locale) {
  const lines = where(given, locale).flatMap((line, at) => (at ? [element("br"), line] : [line]));
  return element("address", {}, lines);
}

/**
 * @param {Address} given
 * @param {string} locale
 * @returns {string[]}
 */
function where(given, locale) {
  const joined = (/** @type {(string | undefined)[]} */ ...parts) => parts.filter(Boolean).join(" ");
  return [
    joined(given.given_name, given.family_name),
    joined(given.street_address),
    joined(given.street_address2),
    joined(given.postal_code, given.city, given.region),
    given.country ? countryName(given.country, locale) : "",
  ].filter(Boolean);
}

/**
 * @param {Desk} desk
 * @returns {HTMLElement | false}
 */
function checkboxes({ say, view, session, perform }) {
  const boxes = view.additional_checkboxes ?? [];
  const ticked = view.merchant_requested ?? {};
  const answers = Object.fromEntries(boxes.map(({ id }) => [id, ticked[id] ?? false]));
  const answer = (/** @type {string} */ id, /** @type {boolean} */ yes) => perform(() => session.answer(Object.assign(answers, { [id]: yes })));
  const rows = boxes.map(({ id, text }, at) => {
    const box = element("input", { type: "checkbox", id: `checkbox-${at}`, checked: answers[id] });
    box.addEventListener("change", () => answer(id, box.checked));
    return element("label", { class: "tick" }, box, element("span", {}, text));
  });
  return boxes.length > 0 && element("fieldset", { class: "checkboxes" }, element("legend", { class: "visually-hidden" }, say("checkboxes")), rows);
}
