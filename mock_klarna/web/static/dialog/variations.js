/** @typedef {import("./types.js").Item} Item */
/** @typedef {import("./types.js").Line} Line */
/** @typedef {import("./types.js").Attribute} Attribute */
/** @typedef {{identifier: string, label: string, chosen: string, values: {value: string, label: string, available: boolean}[]}} Choice */

/**
 * A product's attributes as `identifier: value`.
 *
 * @param {{product_attributes?: Attribute[]}} product
 * @returns {Record<string, string>}
 */
export function attributes(product) {
  return Object.fromEntries((product.product_attributes ?? []).map(({ identifier, value }) => [identifier, value]));
}

/**
 * The item that the first order line was made from; undefined when the merchant's own lines are bought (guide, step 2).
 *
 * @param {Item[]} items
 * @param {Line[]} lines
 * @returns {Item | undefined}
 */
export function chosenItem(items, lines) {
  const [line] = lines;
  if (!line) return undefined;
  return items.find((item) => item.reference === line.reference && matches(item, attributes(line)) && matches(line, attributes(item)));
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
 * What can be chosen of the product that an item belongs to, in the order in which the merchant listed it.
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
 * The item to go to when a value is chosen: the one that keeps most of what was chosen before.
 *
 * @param {Item[]} items
 * @param {Item} item
 * @param {string} identifier
 * @param {string} value
 * @returns {Item}
 */
export function turnedTo(items, item, identifier, value) {
  const before = Object.entries(attributes(item));
  const kept = (/** @type {Item} */ other) => before.filter(([name, was]) => attributes(other)[name] === was).length;
  const fitting = items.filter((other) => other.group_identifier === item.group_identifier && attributes(other)[identifier] === value);
  return fitting.sort((one, two) => kept(two) - kept(one))[0] ?? item;
}

/**
 * The products that items are variations of, by their first item.
 *
 * @param {Item[]} items
 * @returns {Item[]}
 */
export function products(items) {
  return items.filter((item, at) => items.findIndex((other) => other.group_identifier === item.group_identifier) === at);
}
