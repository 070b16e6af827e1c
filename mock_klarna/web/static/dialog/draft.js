import { country, phone, titleOf, titles } from "./countries.js";
import { isoDate } from "./dates.js";

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Shopper} Shopper */
/** @typedef {Record<string, string>} Values what stands in each field, by the field's id */
/** @typedef {{values: Values, separate: boolean, shopper: string}} Draft */

/** Members of an address that the form asks for, the shipping one's under the prefix `shipping_`. */
export const PLACE = ["given_name", "family_name", "street_address", "street_address2", "postal_code", "city", "region", "country"];
const CONTACT = ["email", "phone"];
const CUSTOMER = ["date_of_birth", "national_identification_number"];

/**
 * What the form begins with: whom the page or an earlier visit to the form told.
 *
 * @param {View} view
 * @returns {Draft}
 */
export function begun(view) {
  const billing = view.billing_address ?? {};
  const shipping = view.shipping_address ?? {};
  const separate = PLACE.some((name) => shipping[name] !== undefined && shipping[name] !== billing[name]);
  /** @type {Values} */
  const values = { country: view.purchase_country, ...filled(billing, view.customer ?? {}) };
  if (separate) for (const name of PLACE) values[`shipping_${name}`] = shipping[name] ?? "";
  return { values, separate: separate && Boolean(view.options?.allow_separate_shipping_address), shopper: "" };
}

/**
 * The form as a test shopper would fill it in, with a title where the merchant demands one that they did not bring.
 *
 * @param {Shopper} shopper
 * @param {Record<string, boolean>} options
 * @returns {Draft}
 */
export function filledIn({ name, billing_address, customer }, options) {
  const values = filled(billing_address, customer);
  const draft = { values, separate: false, shopper: name };
  if (!options.title_mandatory || values.title) return draft;
  const title = titleOf(values.country, customer.gender).toLowerCase();
  return { ...draft, values: { ...values, title }, shopper: "" };
}

/**
 * @param {Record<string, string>} address
 * @param {Record<string, string>} customer
 * @returns {Values}
 */
function filled(address, customer) {
  /** @type {Values} */
  const values = {};
  for (const name of [...CONTACT, ...PLACE]) if (address[name]) values[name] = address[name];
  for (const name of CUSTOMER) if (customer[name]) values[name] = customer[name];
  const title = address.title ?? customer.title;
  return title ? { ...values, title: title.toLowerCase() } : values;
}

/**
 * The body of `identify`: the test shopper's name while the form is as they filled it in, else what was typed.
 *
 * @param {Draft} draft
 * @returns {object}
 */
export function told(draft) {
  if (draft.shopper) return { shopper: draft.shopper };
  const { values } = draft;
  const home = country(values.country);
  const title = titles(values.country).find((known) => known.toLowerCase() === values.title);
  const contact = { email: values.email ?? "", phone: phone(values.phone ?? "", home) };
  const billing_address = given({ ...place(values, ""), ...contact, title });
  const customer = given({ ...picked(values, CUSTOMER), date_of_birth: isoDate(values.date_of_birth ?? "", values.country ?? ""), title });
  const told = { billing_address, customer };
  return draft.separate ? { ...told, shipping_address: given({ ...place(values, "shipping_"), ...contact }) } : told;
}

/**
 * @param {Values} values
 * @param {string} prefix
 * @returns {Record<string, string>}
 */
function place(values, prefix) {
  return Object.fromEntries(PLACE.map((name) => [name, values[prefix + name] ?? ""]));
}

/**
 * @param {Values} values
 * @param {string[]} names
 * @returns {Record<string, string>}
 */
function picked(values, names) {
  return Object.fromEntries(names.map((name) => [name, values[name] ?? ""]));
}

/**
 * @param {Record<string, string | undefined>} members
 * @returns {Record<string, string>}
 */
function given(members) {
  const kept = Object.entries(members).map(([name, value]) => [name, (value ?? "").trim()]);
  return Object.fromEntries(kept.filter(([, value]) => value));
}

/**
 * The field that a problem of the server is about.
 *
 * @param {string} path such as `billing_address.postal_code`
 * @returns {string}
 */
export function fieldOf(path) {
  const [name = "", owner] = path.split(".").reverse();
  return owner === "shipping_address" && PLACE.includes(name) ? `shipping_${name}` : name;
}
