const YEAR_FIRST = /^(\d{4})[-./ ]?(\d{2})[-./ ]?(\d{2})$/;
const YEAR_LAST = /^(\d{1,2})[-./ ](\d{1,2})[-./ ](\d{4})$/;

/**
 * A date as somebody of a country types it, in ISO 8601; "" when it is none. Americans put the month first.
 *
 * @param {string} text
 * @param {string} country
 * @returns {string}
 */
export function isoDate(text, country) {
  const [year = "", month = "", day = ""] = parts(text.trim(), country);
  const iso = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const date = new Date(`${iso}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso) ? iso : "";
}

/**
 * @param {string} text
 * @param {string} country
 * @returns {string[]}
 */
function parts(text, country) {
  const first = YEAR_FIRST.exec(text);
  if (first) return first.slice(1);
  const [, one = "", two = "", year = ""] = YEAR_LAST.exec(text) ?? [];
  return country === "US" ? [year, one, two] : [year, two, one];
}
