/** @typedef {import("./types.js").Country} Country */
/** @typedef {import("./types.js").View} View */

const ENGLISH = { male: ["Mr"], female: ["Ms"] };
/** @type {Record<string, Country>} */
let rows = {};

/**
 * Take the table of countries that the page carries: the server's own, so that both judge alike.
 *
 * @param {string} json
 */
export function learn(json) {
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
 * The countries that an address may be in. The billing address is shipped to as well unless there is another one.
 *
 * @param {View} view
 * @param {"billing" | "shipping"} kind
 * @param {boolean} separate whether the shopper gives a separate shipping address
 * @returns {string[]}
 */
export function allowed({ countries }, kind, separate) {
  const { billing, shipping } = countries;
  if (kind === "shipping") return shipping;
  return separate ? billing : billing.filter((code) => shipping.includes(code));
}

/**
 * The titles that people of a country use; where Klarna names none, those of English (klarna.md §3.10).
 *
 * @param {string | undefined} code
 * @returns {string[]}
 */
export function titles(code) {
  return Object.values(titlesByGender(code)).flat();
}

/**
 * The usual title of somebody, "" where their gender is not told.
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
 * Whether Klarna names titles for a country.
 *
 * @param {string | undefined} code
 * @returns {boolean}
 */
export function hasTitles(code) {
  return Object.keys(country(code)?.titles ?? {}).length > 0;
}

/**
 * The name of a country in a language, its code where the browser does not know it.
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
 * A phone number in international form, from the forms in which people write theirs at home.
 *
 * @param {string} text
 * @param {Country | undefined} home
 * @returns {string}
 */
export function phone(text, home) {
  const digits = text.trim().replace(/[\s().\-/]/g, "").replace(/^00/, "+");
  if (!digits || digits.startsWith("+") || !home) return digits;
  const prefix = home.dialling.slice(1);
  if (digits.startsWith(prefix) && digits.length > home.digits[1]) return `+${digits}`;
  return home.dialling + digits.replace(/^0/, "");
}

/**
 * Whether a number that `phone` returned can be called: a number abroad need only look like one.
 *
 * @param {string} text
 * @param {Country} home
 * @returns {boolean}
 */
export function isPhone(text, home) {
  if (!text.startsWith(home.dialling)) return /^\+\d{6,15}$/.test(text);
  const [fewest, most] = home.digits;
  return new RegExp(`^\\${home.dialling}0?\\d{${fewest},${most}}$`).test(text);
}

/**
 * @param {string} text
 * @param {Country} home
 * @returns {boolean}
 */
export function isPostalCode(text, home) {
  return new RegExp(`^(?:${home.postal_code})$`).test(text.trim().toUpperCase());
}
