import { element, safeUrl } from "./elements.js";
import { money } from "./texts.js";

/** @typedef {import("./session.js").Step} Step */
/** @typedef {import("./types.js").StepContext} StepContext */

/**
 * @typedef {Object} OutcomeView
 * @property {string} icon the CSS class that selects the icon above the text
 * @property {string} heading
 * @property {string} text
 * @property {(HTMLElement | false)[]} [more]
 */

/**
 * The step after payment: waiting for the merchant, then the merchant's decision.
 *
 * @param {Step} step
 * @param {StepContext} context
 * @returns {HTMLElement}
 */
export function outcome(step, context) {
  const { icon, heading, text, more = [] } = OUTCOMES[step]?.(context) ?? plain("failed", "bad")(context);
  return element(
    "div",
    { id: "outcome", class: `outcome ${icon}`, "data-step": step },
    element("div", { class: "outcome-icon", "aria-hidden": "true" }),
    element("h2", { id: "step-heading", tabindex: "-1" }, heading),
    element("p", { id: "consumer-message", class: "message", dir: "auto" }, text),
    more,
  );
}

/** @type {Partial<Record<Step, (context: StepContext) => OutcomeView>>} */
const OUTCOMES = {
  waiting: ({ t, isSlow }) => ({
    icon: "busy",
    heading: t("waiting_heading"),
    text: t("waiting_text"),
    more: [element("p", { id: "waiting-long", class: "muted" }, isSlow && t("waiting_long"))],
  }),
  redirecting: ({ t }) => ({ icon: "busy", heading: t("redirecting_heading"), text: t("redirecting_text") }),
  placed,
  denied,
  rejected: plain("rejected", "bad"),
  timed_out: plain("timed_out", "pause"),
  expired: plain("expired", "pause"),
  failed: plain("failed", "bad"),
};

/**
 * @param {string} name
 * @param {string} icon
 * @returns {(context: StepContext) => OutcomeView}
 */
function plain(name, icon) {
  return (context) => ({ icon, heading: context.t(`${name}_heading`), text: context.t(`${name}_text`), more: [backButton(context)] });
}

/**
 * @param {StepContext} context
 * @returns {OutcomeView}
 */
function denied(context) {
  const { t, view } = context;
  const reason = denial(view.outcome);
  return { icon: "bad", heading: t("denied_heading"), text: reason.message ?? t(reason.textName), more: [backButton(context)] };
}

/**
 * @param {StepContext} context
 * @returns {OutcomeView}
 */
function placed(context) {
  const { t, view } = context;
  const name = view.billing_address?.given_name ?? "";
  const heading = name ? t("placed_heading", { name }) : t("placed_heading_plain");
  return { icon: "good", heading, text: t("placed_text"), more: [receipt(context), continueButton(context)] };
}

/**
 * @param {StepContext} context
 * @returns {HTMLElement}
 */
function receipt({ t, view }) {
  const number = view.merchant_reference1 || view.outcome?.order_id;
  const total = money(view.totals.order_amount, view.purchase_currency, view.locale);
  const rows = [[t("order_number"), number], [t("total"), total]].filter(([, value]) => value);
  return element("dl", { class: "receipt" }, rows.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value))));
}

/**
 * The button that goes to the merchant's confirmation page, or closes the dialog if there is no such page.
 *
 * @param {StepContext} context
 * @returns {HTMLElement}
 */
function continueButton({ t, view, isEmbedded, leave, close }) {
  const url = safeUrl(view.outcome?.redirect_url);
  const label = url ? "to_confirmation" : isEmbedded ? "close" : "start_again";
  const proceed = () => (url ? leave(url) : close());
  return action(element("button", { id: "confirmation__bottom", class: "primary", type: "button", onclick: proceed }, t(label)));
}

/**
 * @param {StepContext} context
 * @returns {HTMLElement}
 */
function backButton({ t, isEmbedded, close }) {
  const label = t(isEmbedded ? "back_to_shop" : "start_again");
  return action(element("button", { id: "back-button", class: "primary", type: "button", onclick: close }, label));
}

/**
 * @param {HTMLElement} button
 * @returns {HTMLElement}
 */
function action(button) {
  return element("div", { class: "actions" }, button);
}

/** Deny codes that have a text of their own (klarna.md §3.14); the others share the general text. */
const DENY_CODES = ["address_error", "item_out_of_stock", "consumer_underaged", "unsupported_shipping_address"];

/**
 * The text of a denial: the merchant's message, or the name of a text of ours (klarna.md C-10).
 *
 * @param {import("./types.js").Outcome | undefined} outcome
 * @returns {{message?: string, textName: string}}
 */
function denial(outcome) {
  const code = outcome?.deny_code ?? "";
  const textName = DENY_CODES.includes(code) ? `denied_${code}` : "denied_generic";
  return outcome?.deny_message ? { message: outcome.deny_message, textName } : { textName };
}
