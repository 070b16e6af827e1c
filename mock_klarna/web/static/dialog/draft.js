import { country, isPostalCode, titleOf, titles } from "./countries.js";

/** @typedef {import("./types.js").Country} Country */
/** @typedef {import("./types.js").Shopper} Shopper */
/** @typedef {import("./types.js").View} View */

/** @typedef {Record<string, string>} Values the text of each field, by the field's id */
/** @typedef {{values: Values, separate: boolean, shopper: string}} Draft */

/** Members of an address in the form; those of the shipping address have the prefix `shipping_`. */
const ADDRESS_MEMBERS = ["given_name", "family_name", "street_address", "street_address2", "postal_code", "city", "region", "country"];
const CONTACT_MEMBERS = ["email", "phone"];
const CUSTOMER_MEMBERS = ["date_of_birth", "national_identification_number"];

/**
 * The initial content of the form: the data of the session.
 *
 * @param {View} view
 * @returns {Draft}
 */
export function draftOf(view) {
  const billing = view.billing_address ?? {};
  const shipping = view.shipping_address ?? {};
  /** @type {Values} */
  const values = { country: view.purchase_country, ...filled(billing, view.customer ?? {}) };
  const separate = ADDRESS_MEMBERS.some((name) => shipping[name] && shipping[name] !== values[name]);
  if (separate) for (const name of ADDRESS_MEMBERS) values[`shipping_${name}`] = shipping[name] ?? "";
  return { values, separate: separate && Boolean(view.options?.allow_separate_shipping_address), shopper: "" };
}

/**
 * The form as a test shopper would fill it in, with a title if the merchant requires one and the shopper has none.
 *
 * @param {Shopper} shopper
 * @param {Record<string, boolean>} options
 * @returns {Draft}
 */
export function draftOfShopper({ name, billing_address, customer }, options) {
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
  for (const name of [...CONTACT_MEMBERS, ...ADDRESS_MEMBERS]) if (address[name]) values[name] = address[name];
  for (const name of CUSTOMER_MEMBERS) if (customer[name]) values[name] = customer[name];
  const title = address.title || customer.title;
  return title ? { ...values, title: title.toLowerCase() } : values;
}

/**
 * The body of `identify`: the name of the test shopper if the form is unchanged, else the typed data.
 *
 * @param {Draft} draft
 * @returns {object}
 */
export function identifyBody(draft) {
  if (draft.shopper) return { shopper: draft.shopper };
  const { values } = draft;
  const title = titles(values.country).find((known) => known.toLowerCase() === values.title);
  const contact = { email: values.email ?? "", phone: values.phone ?? "" };
  const billing_address = nonEmpty({ ...addressOf(values, ""), ...contact, title });
  const customer = nonEmpty({ ...picked(values, CUSTOMER_MEMBERS), title });
  const body = { billing_address, customer };
  return draft.separate ? { ...body, shipping_address: nonEmpty({ ...addressOf(values, "shipping_"), ...contact }) } : body;
}

/**
 * @param {Values} values
 * @param {string} prefix
 * @returns {Record<string, string>}
 */
function addressOf(values, prefix) {
  return Object.fromEntries(ADDRESS_MEMBERS.map((name) => [name, values[prefix + name] ?? ""]));
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
function nonEmpty(members) {
  const trimmed = Object.entries(members).map(([name, value]) => [name, (value ?? "").trim()]);
  return Object.fromEntries(trimmed.filter(([, value]) => value));
}

/**
 * The field of a problem in the server's answer.
 *
 * @param {string} path such as `billing_address.postal_code`
 * @returns {string}
 */
export function fieldOf(path) {
  const [name = "", owner] = path.split(".").reverse();
  return owner === "shipping_address" && ADDRESS_MEMBERS.includes(name) ? `shipping_${name}` : name;
}

/** @typedef {Record<string, string>} FieldErrors the name of a text for each invalid field */

/** @type {Record<string, string>} The text of each rule that a field can break. */
const ERRORS = {
  required: "error_required",
  email: "error_email",
  phone: "error_phone",
  postal_code: "error_postal_code",
  date: "error_date_of_birth",
};

/**
 * The name of the text for a problem in the server's answer.
 *
 * @param {import("./types.js").Problem} problem
 * @returns {string}
 */
function errorName({ path, rule = "" }) {
  return ERRORS[rule] ?? (path.endsWith(".country") ? "error_country" : "error_other");
}

/**
 * The errors of the form for the problems of the shopper's data in the server's answer. A form without a separate address shows those
 * of both addresses.
 *
 * @param {import("./types.js").Problem[]} problems
 * @param {boolean} [separate] whether the form has a separate address
 * @returns {FieldErrors}
 */
export function sentErrors(problems, separate) {
  const own = problems.filter(({ path }) => /^(\w+_address|customer)\./.test(path));
  const field = (/** @type {string} */ path) => fieldOf(separate ? path : path.replace("shipping_", ""));
  return Object.fromEntries(own.map((problem) => [field(problem.path), errorName(problem)]));
}

const REQUIRED = ["given_name", "family_name", "street_address", "postal_code", "city", "country"];

/**
 * The fields that must not be empty.
 *
 * @param {Draft} draft
 * @param {Record<string, boolean>} options the merchant's `*_mandatory`
 * @returns {Set<string>}
 */
export function requiredFields(draft, options) {
  const home = country(draft.values.country);
  const away = country(draft.values.shipping_country);
  const names = ["email", ...REQUIRED, ...["phone", "date_of_birth", "national_identification_number", "title"].filter((name) => options[`${name}_mandatory`])];
  if (home?.region_needed) names.push("region");
  if (draft.separate) names.push(...REQUIRED.map((name) => `shipping_${name}`));
  if (draft.separate && away?.region_needed) names.push("shipping_region");
  return new Set(names);
}

/**
 * The errors of a draft, found before it is sent. The server alone reads phone numbers and dates.
 *
 * @param {Draft} draft
 * @param {Record<string, boolean>} options
 * @param {{billing: string[], shipping: string[]}} allowed countries that the addresses may be in
 * @returns {FieldErrors}
 */
export function fieldErrors(draft, options, allowed) {
  const { values, shopper, separate } = draft;
  const errors = shopper ? {} : { ...contactErrors(values), ...addressErrors(values, "", allowed.billing) };
  if (separate) Object.assign(errors, addressErrors(values, "shipping_", allowed.shipping));
  const empty = [...requiredFields(draft, options)].filter((name) => !values[name]?.trim());
  return { ...errors, ...Object.fromEntries(empty.map((name) => [name, "error_required"])) };
}

/**
 * @param {Record<string, string>} values
 * @returns {FieldErrors}
 */
function contactErrors(values) {
  /** @type {FieldErrors} */
  const errors = {};
  if (values.email && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(values.email.trim())) errors.email = "error_email";
  return errors;
}

/**
 * @param {Record<string, string>} values
 * @param {string} prefix
 * @param {string[]} allowed
 * @returns {FieldErrors}
 */
function addressErrors(values, prefix, allowed) {
  const code = values[`${prefix}country`];
  const home = country(code);
  const postal = values[`${prefix}postal_code`];
  /** @type {FieldErrors} */
  const errors = {};
  if (code && !allowed.includes(code)) errors[`${prefix}country`] = "error_country";
  if (home && postal && !isPostalCode(postal, home)) errors[`${prefix}postal_code`] = "error_postal_code";
  return errors;
}
