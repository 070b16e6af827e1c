import { element, safeUrl } from "./elements.js";
import { money } from "./texts.js";

/** @typedef {import("./types.js").Line} Line */
/** @typedef {import("./types.js").StepContext} StepContext */

/** How many order lines are always shown. */
const SHOWN = 3;
/** Types of lines that are no products (klarna.md §3.3): they have no picture. */
const WITHOUT_PICTURE = ["discount", "gift_card", "sales_tax", "shipping_fee", "store_credit", "surcharge"];
/** @type {Set<string>} Addresses of pictures that the browser could not show. */
const broken = new Set();

/**
 * The products and the total in one line.
 *
 * @param {StepContext} context
 * @returns {HTMLElement | false}
 */
export function orderSummary({ view }) {
  const amount = money(view.totals.order_amount, view.purchase_currency, view.locale);
  const names = view.order_lines.flatMap((line, at) => (at ? [", ", ...lineText(line)] : lineText(line)));
  return (
    names.length > 0 &&
    element(
      "p",
      { class: "card order-summary" },
      view.order_lines.filter(isProduct).slice(0, 1).map(picture),
      element("span", { class: "names" }, names),
      element("strong", { class: "price" }, amount),
    )
  );
}

/**
 * The order lines with pictures; of a long cart, the last ones are folded.
 *
 * @param {StepContext} context
 * @returns {HTMLElement[]}
 */
export function productLines({ t, view }) {
  const rows = view.order_lines.map((line) =>
    element(
      "li",
      { class: "line" },
      isProduct(line) && picture(line),
      element("span", {}, lineText(line)),
      element("span", { class: "price" }, money(line.total_amount, view.purchase_currency, view.locale)),
    ),
  );
  const first = rows.length > SHOWN + 1 ? rows.slice(0, SHOWN) : rows;
  const rest = rows.slice(first.length);
  const shown = element("ul", { class: "lines" }, first);
  if (!rest.length) return [shown];
  const summary = element("summary", {}, t("more_lines", { count: rest.length }));
  return [shown, element("details", { id: "more-lines" }, summary, element("ul", { class: "lines" }, rest))];
}

/**
 * @param {Line} line
 * @returns {boolean}
 */
function isProduct({ type = "" }) {
  return !WITHOUT_PICTURE.includes(type);
}

/**
 * The picture of the cart, or a parcel if there is none. The browser fetches it when it is shown, not for each rendering.
 *
 * @param {Line} line
 * @returns {HTMLElement}
 */
function picture({ image_url }) {
  const src = safeUrl(image_url);
  const remove = (/** @type {Event} */ { currentTarget }) => {
    broken.add(src ?? "");
    /** @type {HTMLElement} */ (currentTarget).remove();
  };
  const image = src && !broken.has(src) && element("img", { alt: "", loading: "lazy", "data-key": src, src, onerror: remove });
  return element("span", { class: "picture" }, image);
}

/**
 * @param {Line} line
 * @returns {(string | HTMLElement)[]}
 */
function lineText({ quantity, name }) {
  const text = element("bdi", {}, name);
  return quantity === 1 ? [text] : [`${quantity} × `, text];
}
