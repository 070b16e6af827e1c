import { demanded } from "./checks.js";
import { allowed, country, countryName, hasTitles, titles } from "./countries.js";
import { element } from "./elements.js";
import { input, select } from "./fields.js";

/** @typedef {import("./texts.js").Say} Say */
/** @typedef {import("./types.js").View} View */
/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./fields.js").Field} Field */

/**
 * The fields that tell who somebody is: e-mail and phone, and what the merchant or the country asks for.
 *
 * @param {Say} say
 * @param {View} view
 * @param {Draft} draft
 * @returns {HTMLElement}
 */
export function identityFields(say, view, draft) {
  const options = view.options ?? {};
  const needed = demanded(draft, options);
  const isTitled = hasTitles(draft.values.country);
  const offered = titles(draft.values.country).map((title) => /** @type {[string, string]} */ ([title.toLowerCase(), title]));
  const field = fields(say, draft, needed);
  return element(
    "div",
    { class: "fields" },
    input(say, field("email", { type: "email", autocomplete: "email" })),
    input(say, field("phone", { type: "tel", autocomplete: "tel" })),
    (options.title_mandatory || isTitled) && select(say, field("title", { autocomplete: "honorific-prefix", width: "half" }), offered),
    (options.date_of_birth_mandatory || isTitled) &&
      input(say, field("date_of_birth", { autocomplete: "bday", hint: say("date_of_birth_hint"), width: "half" })),
    options.national_identification_number_mandatory && input(say, field("national_identification_number", { width: "half" })),
  );
}

/**
 * The fields of one address; the shipping one's ids begin with `shipping_`.
 *
 * @param {Say} say
 * @param {View} view
 * @param {Draft} draft
 * @param {"billing" | "shipping"} kind
 * @returns {HTMLElement}
 */
export function addressFields(say, view, draft, kind) {
  const prefix = kind === "shipping" ? "shipping_" : "";
  const field = fields(say, draft, demanded(draft, view.options ?? {}), prefix, kind);
  const offered = allowed(view, kind, draft.separate);
  const names = offered.map((code) => /** @type {[string, string]} */ ([code, countryName(code, view.locale)]));
  return element(
    "div",
    { class: "fields" },
    input(say, field("given_name", { autocomplete: "given-name", width: "half" })),
    input(say, field("family_name", { autocomplete: "family-name", width: "half" })),
    input(say, field("street_address", { autocomplete: "address-line1" })),
    input(say, field("street_address2", { autocomplete: "address-line2" })),
    input(say, field("postal_code", { autocomplete: "postal-code", width: "half" })),
    input(say, field("city", { autocomplete: "address-level2", width: "half" })),
    country(draft.values[`${prefix}country`])?.region_needed && input(say, field("region", { autocomplete: "address-level1", width: "half" })),
    select(say, field("country", { autocomplete: "country" }), names.sort((one, other) => one[1].localeCompare(other[1], view.locale))),
  );
}

/**
 * @param {Say} say
 * @param {Draft} draft
 * @param {Set<string>} needed
 * @param {string} prefix
 * @param {string} section of the autocomplete attribute
 * @returns {(name: string, more: Partial<Field>) => Field}
 */
function fields(say, draft, needed, prefix = "", section = "") {
  return (name, more) => {
    const id = prefix + name;
    const field = { id, label: say(name), value: draft.values[id] ?? "", required: needed.has(id), ...more };
    return section ? { ...field, autocomplete: `${section} ${more.autocomplete}` } : field;
  };
}
