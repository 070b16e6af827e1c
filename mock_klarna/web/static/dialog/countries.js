/** @typedef {import("./types.js").Country} Country */
/** @typedef {import("./types.js").View} View */

const ENGLISH = { male: ["Mr"], female: ["Ms"] };
/** @type {Record<string, Country>} */
let rows = {};

/**
 * Load the table of countries from the page: the server's table, so that the dialog and the server check alike.
 *
 * @param {string} json
 */
export function loadCountries(json) {
  rows = JSON.parse(json);
}

/**
 * @param {string | undefined} code
 * @returns {Country | undefined}
 */
export function country(code) {
  return rows[code ?? ""];
}

/**
 * The countries that an address may be in. Without a separate shipping address, goods are shipped to the billing address.
 *
 * @param {View} view
 * @param {"billing" | "shipping"} kind
 * @param {boolean} separate whether the shopper gives a separate shipping address
 * @returns {string[]}
 */
export function allowedCountries({ countries }, kind, separate) {
  const { billing, shipping } = countries;
  if (kind === "shipping") return shipping;
  return separate ? billing : billing.filter((code) => shipping.includes(code));
}

/**
 * The titles of a country; English titles if Klarna defines none (klarna.md §3.10).
 *
 * @param {string | undefined} code
 * @returns {string[]}
 */
export function titles(code) {
  return Object.values(titlesByGender(code)).flat();
}

/**
 * The usual title for a gender, "" if the gender is unknown.
 *
 * @param {string | undefined} code
 * @param {string | undefined} gender
 * @returns {string}
 */
export function titleOf(code, gender) {
  return titlesByGender(code)[gender ?? ""]?.[0] ?? "";
}

/**
 * @param {string | undefined} code
 * @returns {Record<string, string[]>}
 */
function titlesByGender(code) {
  return hasTitles(code) ? (country(code)?.titles ?? ENGLISH) : ENGLISH;
}

/**
 * Whether Klarna defines titles for a country.
 *
 * @param {string | undefined} code
 * @returns {boolean}
 */
export function hasTitles(code) {
  return Object.keys(country(code)?.titles ?? {}).length > 0;
}

/**
 * The name of a country in a language, or its code if the browser does not know the name.
 *
 * @param {string} code
 * @param {string} locale
 * @returns {string}
 */
export function countryName(code, locale) {
  try {
    return new Intl.DisplayNames([locale, "en"], { type: "region" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/**
 * @param {string} text
 * @param {Country} home
 * @returns {boolean}
 */
export function isPostalCode(text, home) {
  return new RegExp(`^(?:${home.postal_code})$`).test(text.trim().toUpperCase());
}
