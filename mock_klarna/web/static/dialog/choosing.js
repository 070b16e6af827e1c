import { element } from "./elements.js";
import { attributes, choices, chosenItem, products, turnedTo } from "./variations.js";

/** @typedef {import("./identification.js").Desk} Desk */
/** @typedef {import("./types.js").Item} Item */
/** @typedef {import("./variations.js").Choice} Choice */

const MOST = 999;

/**
 * The product's variations and how many of it; nothing where the merchant's own order lines are bought.
 *
 * @param {Desk} desk
 * @returns {HTMLElement | false}
 */
export function variations(desk) {
  const { view, say } = desk;
  const items = view.items ?? [];
  const item = chosenItem(items, view.order_lines);
  if (!item) return false;
  const pick = (/** @type {Item} */ other, count = quantity(desk)) => desk.perform(() => desk.session.specify(attributes(other), count));
  return element(
    "section",
    { class: "variations", "aria-labelledby": "variations-heading" },
    element("h3", { id: "variations-heading" }, say("variations")),
    products(items).length > 1 && productChoice(products(items), item, say("product"), pick),
    choices(items, item).map((choice) => valueChoice(choice, (value) => pick(turnedTo(items, item, choice.identifier, value)))),
    quantityChoice(desk, (count) => pick(item, count)),
  );
}

/** @param {Desk} desk */
function quantity({ view }) {
  return view.order_lines[0]?.quantity ?? 1;
}

/**
 * @param {Item[]} offered
 * @param {Item} item
 * @param {string} label
 * @param {(item: Item) => void} pick
 * @returns {HTMLElement}
 */
function productChoice(offered, item, label, pick) {
  const options = offered.map(({ group_identifier: value, name }) => element("option", { value, selected: value === item.group_identifier }, name));
  const control = element("select", { id: "product" }, options);
  control.addEventListener("change", () => pick(offered.find(({ group_identifier }) => group_identifier === control.value) ?? item));
  return element("div", { class: "field" }, element("label", { for: "product" }, label), control);
}

/**
 * @param {Choice} choice
 * @param {(value: string) => void} pick
 * @returns {HTMLElement}
 */
function valueChoice({ identifier, label, chosen, values }, pick) {
  const chips = values.map(({ value, label: text, available }, at) => {
    const id = `attribute-${identifier}-${at}`;
    const name = `attribute-${identifier}`;
    const radio = element("input", { type: "radio", id, name, value, checked: value === chosen, onchange: () => pick(value) });
    return element("label", { class: available ? "chip" : "chip elsewhere" }, radio, text);
  });
  return element("fieldset", { class: "chips" }, element("legend", {}, label), element("div", { class: "chip-row" }, chips));
}

/**
 * @param {Desk} desk
 * @param {(count: number) => void} pick
 * @returns {HTMLElement}
 */
function quantityChoice(desk, pick) {
  const { say } = desk;
  const now = quantity(desk);
  const turn = (/** @type {number} */ count) => pick(Math.min(MOST, Math.max(1, Math.trunc(count) || 1)));
  const less = element("button", { type: "button", id: "quantity-less", "aria-label": say("less"), disabled: now <= 1, onclick: () => turn(now - 1) }, "−");
  const more = element("button", { type: "button", id: "quantity-more", "aria-label": say("more"), disabled: now >= MOST, onclick: () => turn(now + 1) }, "+");
  const count = element("input", { id: "quantity", type: "number", min: 1, max: MOST, inputmode: "numeric", value: now });
  count.addEventListener("change", () => turn(count.valueAsNumber));
  return element("div", { class: "field quantity" }, element("label", { for: "quantity" }, say("quantity")), element("div", { class: "stepper" }, less, count, more));
}
