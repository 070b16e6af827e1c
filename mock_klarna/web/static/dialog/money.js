/**
 * An amount of minor units as its reader's language writes it; the code of an unknown currency is put before the number.
 *
 * @param {number} minor
 * @param {string} currency ISO 4217
 * @param {string} locale
 * @returns {string}
 */
export function money(minor, currency, locale) {
  try {
    const format = new Intl.NumberFormat(locale, { style: "currency", currency });
    return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
  } catch {
    return `${currency} ${(minor / 100).toFixed(2)}`;
  }
}
