import { country, isPhone, isPostalCode, phone } from "./countries.js";
import { isoDate } from "./dates.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./types.js").Country} Country */
/** @typedef {Record<string, string>} Faults a text's name for each field that is not right */

const ALWAYS = ["given_name", "family_name", "street_address", "postal_code", "city", "country"];

/**
 * The fields that must not be left empty.
 *
 * @param {Draft} draft
 * @param {Record<string, boolean>} options the merchant's `*_mandatory`
 * @returns {Set<string>}
 */
export function demanded(draft, options) {
  const home = country(draft.values.country);
  const away = country(draft.values.shipping_country);
  const names = ["email", ...ALWAYS, ...["phone", "date_of_birth", "national_identification_number", "title"].filter((name) => options[`${name}_mandatory`])];
  if (home?.region_needed) names.push("region");
  if (draft.separate) names.push(...ALWAYS.map((name) => `shipping_${name}`));
  if (draft.separate && away?.region_needed) names.push("shipping_region");
  return new Set(names);
}

/**
 * What is not right about a draft, told before the server is asked.
 *
 * @param {Draft} draft
 * @param {Record<string, boolean>} options
 * @param {{billing: string[], shipping: string[]}} served countries that the addresses may be in
 * @returns {Faults}
 */
export function faults(draft, options, served) {
  if (draft.shopper) return {};
  const { values } = draft;
  const found = { ...contact(values), ...place(values, "", served.billing) };
  if (draft.separate) Object.assign(found, place(values, "shipping_", served.shipping));
  const empty = [...demanded(draft, options)].filter((name) => !values[name]?.trim());
  return { ...found, ...Object.fromEntries(empty.map((name) => [name, "fault_required"])) };
}

/**
 * @param {Record<string, string>} values
 * @returns {Faults}
 */
function contact(values) {
  const home = country(values.country);
  const number = phone(values.phone ?? "", home);
  /** @type {Faults} */
  const found = {};
  if (values.email && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(values.email.trim())) found.email = "fault_email";
  if (number && home && !isPhone(number, home)) found.phone = "fault_phone";
  if (values.date_of_birth && !isoDate(values.date_of_birth, values.country ?? "")) found.date_of_birth = "fault_date_of_birth";
  return found;
}

/**
 * @param {Record<string, string>} values
 * @param {string} prefix
 * @param {string[]} served
 * @returns {Faults}
 */
function place(values, prefix, served) {
  const code = values[`${prefix}country`];
  const home = country(code);
  const postal = values[`${prefix}postal_code`];
  /** @type {Faults} */
  const found = {};
  if (code && !served.includes(code)) found[`${prefix}country`] = "fault_country";
  if (home && postal && !isPostalCode(postal, home)) found[`${prefix}postal_code`] = "fault_postal_code";
  return found;
}
