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
  const other = (/** @type {string} */ identifier, /** @type {string | undefined} */ value) =>
    pick((now, offered) => ({ item: nearestItem(offered, now, identifier, value) }));
  return element(
    "section",
    { class: "variations", "aria-labelledby": "variations-heading" },
    element("h3", { id: "variations-heading" }, t("variations")),
    products(items).length > 1 && productChoice(products(items), item, t("product"), (chosen) => pick(() => ({ item: chosen }))),
    choices(items, item).map((choice) => valueChoice(choice, t("without"), (value) => other(choice.identifier, value))),
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
 * @param {string} without the label for items that do not have the attribute
 * @param {(value?: string) => void} pick
 * @returns {HTMLElement}
 */
function valueChoice({ identifier, label, chosen, values }, without, pick) {
  const chips = values.map(({ value, label: text, available }, at) => {
    const id = `attribute-${identifier}-${at}`;
    const name = `attribute-${identifier}`;
    const key = value ?? "";
    const radio = element("input", { type: "radio", id, name, "data-key": key, value: key, checked: value === chosen, onchange: () => pick(value) });
    return element("label", { class: available ? "chip" : "chip unavailable", "data-key": key }, radio, text ?? without);
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

/** @typedef {{value?: string, label?: string, available: boolean}} Value no value for items that do not have the attribute */
/** @typedef {{identifier: string, label: string, chosen?: string, values: Value[]}} Choice */

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
 * The items of the same product.
 *
 * @param {Item[]} items
 * @param {Item} item
 * @returns {Item[]}
 */
function siblings(items, item) {
  return items.filter((other) => other.group_identifier === item.group_identifier);
}

/**
 * The labels of the attributes that some of the items have, by identifier, in the merchant's order.
 *
 * @param {Item[]} items
 * @returns {Map<string, string>}
 */
function labels(items) {
  return new Map(items.flatMap((item) => (item.product_attributes ?? []).map(({ identifier, identifier_label }) => [identifier, identifier_label])));
}

/**
 * The attributes of an item's product with all their values, in the merchant's order. Some of the items may not have them all.
 *
 * @param {Item[]} items
 * @param {Item} item
 * @returns {Choice[]}
 */
export function choices(items, item) {
  const offered = siblings(items, item);
  return [...labels(offered)].map(([identifier, label]) => ({
    identifier,
    label,
    chosen: attributes(item)[identifier],
    values: values(offered, item, identifier),
  }));
}

/**
 * @param {Item[]} offered
 * @param {Item} item
 * @param {string} identifier
 * @returns {Value[]}
 */
function values(offered, item, identifier) {
  const texts = new Map(offered.map((other) => [attributes(other)[identifier], other.product_attributes?.find((one) => one.identifier === identifier)?.value_label]));
  return [...texts].map(([value, label]) => {
    const nearest = nearestItem(offered, item, identifier, value);
    const available = [...labels(offered).keys()].every((name) => name === identifier || attributes(nearest)[name] === attributes(item)[name]);
    return { value, label, available };
  });
}

/**
 * The item for a chosen value: the one that keeps the other attributes, the first of them before the later ones. So the shopper reaches
 * every item by choosing its values from the first to the last.
 *
 * @param {Item[]} items
 * @param {Item} item
 * @param {string} identifier
 * @param {string | undefined} value
 * @returns {Item}
 */
export function nearestItem(items, item, identifier, value) {
  const offered = siblings(items, item);
  let fitting = offered.filter((other) => attributes(other)[identifier] === value);
  for (const name of labels(offered).keys()) {
    const same = fitting.filter((other) => attributes(other)[name] === attributes(item)[name]);
    if (same.length > 0) fitting = same;
  }
  return fitting[0] ?? item;
}

/**
 * The first item of each product.
 *
 * @param {Item[]} items
 * @returns {Item[]}
 */
function products(items) {
  return items.filter((item) => siblings(items, item)[0] === item);
}
