import { element } from "./elements.js";
import { denial } from "./flow.js";
import { safeUrl } from "./links.js";
import { money } from "./money.js";

/** @typedef {import("./identification.js").Desk} Desk */
/** @typedef {import("./flow.js").Step} Step */
/**
 * @typedef {Object} Ending
 * @property {string} mark the kind of picture above the words
 * @property {string} heading
 * @property {string} text
 * @property {(HTMLElement | false)[]} [more]
 */

/**
 * What is shown once the final button has been pressed: waiting for the merchant, then what the merchant decided.
 *
 * @param {Step} step
 * @param {Desk} desk
 * @returns {HTMLElement}
 */
export function ending(step, desk) {
  const { mark, heading, text, more = [] } = ENDINGS[step]?.(desk) ?? plain("failed", "bad")(desk);
  return element(
    "div",
    { id: "ending", class: `ending ${mark}`, "data-step": step },
    element("div", { class: "mark", "aria-hidden": "true" }),
    element("h2", { id: "step-heading", tabindex: "-1" }, heading),
    element("p", { id: "consumer-message", class: "message" }, text),
    more,
  );
}

/** @type {Partial<Record<Step, (desk: Desk) => Ending>>} */
const ENDINGS = {
  waiting: ({ say }) => ({ mark: "busy", heading: say("waiting_heading"), text: say("waiting_text"), more: [element("p", { id: "patience", class: "quiet" })] }),
  leaving: ({ say }) => ({ mark: "busy", heading: say("leaving_heading"), text: say("leaving_text") }),
  placed,
  denied,
  refused: plain("refused", "bad"),
  silent: plain("silent", "pause"),
  expired: plain("expired", "pause"),
  failed: plain("failed", "bad"),
};

/**
 * @param {string} name
 * @param {string} mark
 * @returns {(desk: Desk) => Ending}
 */
function plain(name, mark) {
  return (desk) => ({ mark, heading: desk.say(`${name}_heading`), text: desk.say(`${name}_text`), more: [backButton(desk)] });
}

/**
 * @param {Desk} desk
 * @returns {Ending}
 */
function denied(desk) {
  const { say, view } = desk;
  const reason = denial(view.outcome);
  return { mark: "bad", heading: say("denied_heading"), text: "own" in reason ? reason.own : say(reason.named), more: [backButton(desk)] };
}

/**
 * @param {Desk} desk
 * @returns {Ending}
 */
function placed(desk) {
  const { say, view } = desk;
  const name = view.billing_address?.given_name ?? "";
  const heading = name ? say("placed_heading", { name }) : say("placed_heading_plain");
  return { mark: "good", heading, text: say("placed_text"), more: [receipt(desk), onwards(desk)] };
}

/**
 * @param {Desk} desk
 * @returns {HTMLElement}
 */
function receipt({ say, view }) {
  const number = view.merchant_reference1 || view.outcome?.order_id;
  const total = money(view.totals.order_amount, view.purchase_currency, view.locale);
  const rows = [[say("order_number"), number], [say("total"), total]].filter(([, value]) => value);
  return element("dl", { class: "receipt" }, rows.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value))));
}

/**
 * The call to action: on to the merchant's confirmation page, or out of the dialog where there is none to go to.
 *
 * @param {Desk} desk
 * @returns {HTMLElement}
 */
function onwards({ say, view, isHosted, leave, close }) {
  const url = safeUrl(view.outcome?.redirect_url);
  const label = url ? "to_confirmation" : isHosted ? "close" : "begin_again";
  const go = () => (url ? leave(url) : close());
  return element("button", { id: "confirmation__bottom", class: "primary", type: "button", onclick: go }, say(label));
}

/**
 * @param {Desk} desk
 * @returns {HTMLElement}
 */
function backButton({ say, isHosted, close }) {
  const label = say(isHosted ? "back_to_shop" : "begin_again");
  return element("button", { id: "back-button", class: "primary", type: "button", onclick: close }, label);
}
