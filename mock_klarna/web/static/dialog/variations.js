import { element } from "./elements.js";

/** @typedef {import("./types.js").Attribute} Attribute */
/** @typedef {import("./types.js").StepContext} StepContext */
/** @typedef {import("./types.js").Item} Item */

const MAX_QUANTITY = 999;

/**
 * The choice of a variation and a quantity; false if there are no items to choose from.
 *
 * @param {StepContext} context
 * @returns {HTMLElement | false}
 */
export function variations(context) {
  const { view, t } = context;
  const items = view.items ?? [];
  const item = chosenItem(view);
  if (!item) return false;
  const pick = (/** @type {Pick} */ choose) => context.perform(() => context.session.specify((now) => choiceOf(now, item, choose)));
  const other = (/** @type {string} */ identifier, /** @type {string} */ value) =>
    pick((now, offered) => ({ item: nearestItem(offered, now, identifier, value) }));
  return element(
    "section",
    { class: "variations", "aria-labelledby": "variations-heading" },
    element("h3", { id: "variations-heading" }, t("variations")),
    products(items).length > 1 && productChoice(products(items), item, t("product"), (chosen) => pick(() => ({ item: chosen }))),
    choices(items, item).map((choice) => valueChoice(choice, (value) => other(choice.identifier, value))),
    quantityChoice(context, (count) => pick((_now, _offered, before) => ({ quantity: count(before) }))),
  );
}

/**
 * What the shopper changes: called with the item that is chosen, all items and the quantity.
 *
 * @typedef {(now: Item, items: Item[], quantity: number) => {item?: Item, quantity?: number}} Pick
 */

/**
 * The variation and the quantity after a choice. The rest is as in the view, so that choices in quick succession add up.
 *
 * @param {import("./types.js").View} view
 * @param {Item} shown
 * @param {Pick} choose
 */
function choiceOf(view, shown, choose) {
  const items = view.items ?? [];
  const now = chosenItem(view) ?? shown;
  const { item = now, quantity = quantityOf(view) } = choose(now, items, quantityOf(view));
  return { product_attributes: attributes(item), group_identifier: item.group_identifier, quantity };
}

/** @param {import("./types.js").View} view */
function chosenItem({ items, chosen_item: at }) {
  return items?.[at ?? -1];
}

/** @param {import("./types.js").View} view */
function quantityOf({ order_lines, chosen_line: at }) {
  return order_lines[at ?? 0]?.quantity ?? 1;
}

/**
 * @param {Item[]} offered
 * @param {Item} item
 * @param {string} label
 * @param {(item: Item) => void} pick
 * @returns {HTMLElement}
 */
function productChoice(offered, item, label, pick) {
  const options = offered.map(({ group_identifier: value, name }) => {
    const selected = value === item.group_identifier;
    return element("option", { value, selected }, selected ? item.name : name);
  });
  const chosen = (/** @type {string} */ value) => offered.find(({ group_identifier }) => group_identifier === value) ?? item;
  const control = element("select", { id: "product", onchange: (event) => pick(chosen(event.currentTarget.value)) }, options);
  return element("div", { class: "field", id: "product__root" }, element("label", { for: "product" }, label), control);
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
    const radio = element("input", { type: "radio", id, name, "data-key": value, value, checked: value === chosen, onchange: () => pick(value) });
    return element("label", { class: available ? "chip" : "chip unavailable", "data-key": value }, radio, text);
  });
  return element("fieldset", { class: "chips", "data-key": identifier }, element("legend", {}, label), element("div", { class: "chip-row" }, chips));
}

/**
 * @param {StepContext} context
 * @param {(change: (before: number) => number) => void} pick
 * @returns {HTMLElement}
 */
function quantityChoice({ t, view }, pick) {
  const now = quantityOf(view);
  const valid = (/** @type {number} */ count) => Math.min(MAX_QUANTITY, Math.max(1, Math.trunc(count) || 1));
  const add = (/** @type {number} */ difference) => pick((before) => valid(before + difference));
  const set = (/** @type {Event} */ { currentTarget }) => {
    const field = /** @type {HTMLInputElement} */ (currentTarget);
    const count = valid(field.valueAsNumber);
    field.value = String(count); // what is sold, not 0 or 2.9
    pick(() => count);
  };
  const less = element("button", { type: "button", id: "quantity-less", "aria-label": t("less"), disabled: now <= 1, onclick: () => add(-1) }, "−");
  const more = element("button", { type: "button", id: "quantity-more", "aria-label": t("more"), disabled: now >= MAX_QUANTITY, onclick: () => add(1) }, "+");
  const count = element("input", { id: "quantity", type: "number", min: 1, max: MAX_QUANTITY, inputmode: "numeric", value: now, onchange: set });
  return element("div", { class: "field quantity", id: "quantity__root" }, element("label", { for: "quantity" }, t("quantity")), element("div", { class: "stepper" }, less, count, more));
}

/** @typedef {{identifier: string, label: string, chosen: string, values: {value: string, label: string, available: boolean}[]}} Choice */

/**
 * A product's attributes as `identifier: value`.
 *
 * @param {{product_attributes?: Attribute[]}} product
 * @returns {Record<string, string>}
 */
function attributes(product) {
  return Object.fromEntries((product.product_attributes ?? []).map(({ identifier, value }) => [identifier, value]));
}

/**
 * @param {{product_attributes?: Attribute[]}} product
 * @param {Record<string, string>} wanted
 * @returns {boolean}
 */
function matches(product, wanted) {
  const own = attributes(product);
  return Object.entries(wanted).every(([identifier, value]) => own[identifier] === value);
}

/**
 * The attributes of an item's product with all their values, in the merchant's order.
 *
 * @param {Item[]} items
 * @param {Item} item
 * @returns {Choice[]}
 */
export function choices(items, item) {
  const siblings = items.filter((other) => other.group_identifier === item.group_identifier);
  return (item.product_attributes ?? []).map((attribute) => ({
    identifier: attribute.identifier,
    label: attribute.identifier_label,
    chosen: attribute.value,
    values: values(siblings, item, attribute.identifier),
  }));
}

/**
 * @param {Item[]} siblings
 * @param {Item} item
 * @param {string} identifier
 */
function values(siblings, item, identifier) {
  /** @type {Map<string, {value: string, label: string, available: boolean}>} */
  const found = new Map();
  for (const { product_attributes } of siblings) {
    const attribute = product_attributes?.find((one) => one.identifier === identifier);
    if (!attribute || found.has(attribute.value)) continue;
    const wanted = { ...attributes(item), [identifier]: attribute.value };
    const available = siblings.some((other) => matches(other, wanted));
    found.set(attribute.value, { value: attribute.value, label: attribute.value_label, available });
  }
  return [...found.values()];
}

/**
 * The item for a chosen value: the one with most attributes as before.
 *
 * @param {Item[]} items
 * @param {Item} item
 * @param {string} identifier
 * @param {string} value
 * @returns {Item}
 */
export function nearestItem(items, item, identifier, value) {
  const before = Object.entries(attributes(item));
  const unchanged = (/** @type {Item} */ other) => before.filter(([name, was]) => attributes(other)[name] === was).length;
  const fitting = items.filter((other) => other.group_identifier === item.group_identifier && attributes(other)[identifier] === value);
  return fitting.sort((one, two) => unchanged(two) - unchanged(one))[0] ?? item;
}

/**
 * The first item of each product.
 *
 * @param {Item[]} items
 * @returns {Item[]}
 */
function products(items) {
  return items.filter((item, at) => items.findIndex((other) => other.group_identifier === item.group_identifier) === at);
}
