/** The languages that there are texts in. */
export const LANGUAGES = ["en", "sv", "de", "fi", "nb", "da", "nl", "fr"];
/** @type {Record<string, string>} Other codes of supported languages. */
const ALIASES = { no: "nb", nn: "nb" };

/** @typedef {(name: string, values?: Record<string, string | number>) => string} Translate */

/**
 * The language of the texts for a locale such as `sv-SE`; English if there are none in its own.
 *
 * @param {string | undefined} locale
 * @returns {string}
 */
export function language(locale) {
  const prefix = (locale || "en").slice(0, 2).toLowerCase();
  const known = ALIASES[prefix] ?? prefix;
  return LANGUAGES.includes(known) ? known : "en";
}

/**
 * The texts of a language, as a function from a name to its sentence with `{values}` filled in.
 * All languages have the same texts.
 *
 * @param {string} code
 * @returns {Promise<Translate>}
 */
export async function texts(code) {
  const own = await read(code);
  return (name, values = {}) => filled(own[name] ?? name, values);
}

/** @type {Map<string, Promise<Record<string, string>>>} */
const requests = new Map();

/**
 * @param {string} code
 * @returns {Promise<Record<string, string>>}
 */
function read(code) {
  const known = requests.get(code) ?? fetched(new URL(`../texts/${code}.json`, import.meta.url));
  requests.set(code, known);
  known.catch(() => requests.delete(code)); // the next call asks again
  return known;
}

/**
 * @param {URL} url
 * @returns {Promise<Record<string, string>>}
 */
async function fetched(url) {
  const answer = await fetch(url).catch(() => null);
  if (!answer?.ok) throw new Error(`${url} cannot be loaded`);
  return answer.json();
}

/**
 * @param {string} text
 * @param {Record<string, string | number>} values
 * @returns {string}
 */
export function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (placeholder, name) => isolated(String(values[name] ?? placeholder)));
}

/**
 * A value for a sentence: letters that are written from right to left do not change the order of the words around them.
 *
 * @param {string} value
 * @returns {string}
 */
function isolated(value) {
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(value) ? `\u2068${value}\u2069` : value;
}

/**
 * An amount of minor units in the format of a locale; an unknown currency is written as its code before the number.
 *
 * @param {number} minor
 * @param {string} currency ISO 4217
 * @param {string} locale
 * @returns {string}
 */
export function money(minor, currency, locale) {
  try {
    const formatter = new Intl.NumberFormat(locale, { style: "currency", currency });
    return formatter.format(minor / 10 ** (formatter.resolvedOptions().maximumFractionDigits ?? 2));
  } catch {
    return `${currency} ${(minor / 100).toFixed(2)}`;
  }
}
