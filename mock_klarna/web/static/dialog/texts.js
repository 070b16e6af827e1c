const SPOKEN = ["en", "sv", "de", "fi", "nb", "da", "nl", "fr"];
/** @type {Record<string, string>} Codes that mean a language we have under another code. */
const SAME = { no: "nb", nn: "nb" };

/** @typedef {(name: string, values?: Record<string, string | number>) => string} Say */

/**
 * The language to speak for a locale such as `sv-SE`: its own where there are texts in it, English for the rest.
 *
 * @param {string | undefined} locale
 * @returns {string}
 */
export function language(locale) {
  const code = (locale || "en").slice(0, 2).toLowerCase();
  const known = SAME[code] ?? code;
  return SPOKEN.includes(known) ? known : "en";
}

/**
 * The texts of a language, as a function from a name to its sentence with `{values}` filled in.
 * A text that is missing is spoken in English.
 *
 * @param {string} spoken
 * @returns {Promise<Say>}
 */
export async function texts(spoken) {
  const [own, english] = await Promise.all([read(spoken), read("en")]);
  return (name, values = {}) => filled(own[name] ?? english[name] ?? name, values);
}

/** @type {Map<string, Promise<Record<string, string>>>} */
const asked = new Map();

/**
 * @param {string} spoken
 * @returns {Promise<Record<string, string>>}
 */
function read(spoken) {
  const known = asked.get(spoken) ?? fetched(new URL(`../texts/${spoken}.json`, import.meta.url));
  asked.set(spoken, known);
  return known;
}

/**
 * @param {URL} url
 * @returns {Promise<Record<string, string>>}
 */
async function fetched(url) {
  const answer = await fetch(url);
  return answer.json();
}

/**
 * @param {string} text
 * @param {Record<string, string | number>} values
 * @returns {string}
 */
export function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}
