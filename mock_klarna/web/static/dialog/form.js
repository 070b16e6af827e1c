import { allowedCountries, country, countryName, hasTitles, titles } from "./countries.js";
import { requiredFields } from "./draft.js";
import { element } from "./elements.js";

/** @typedef {import("./types.js").StepContext} StepContext */

/**
 * The fields of a person: e-mail address and phone number, and those that the merchant or the country requires.
 *
 * @param {StepContext} context
 * @returns {HTMLElement}
 */
export function identityFields(context) {
  const { t, view, draft } = context;
  const options = view.options ?? {};
  const needed = requiredFields(draft, options);
  const hasTitle = hasTitles(draft.values.country);
  const offered = titles(draft.values.country).map((title) => {
    const value = title.toLowerCase();
    return /** @type {[string, string]} */ ([value, hasTitle ? title : t(`title_${value}`)]);
  });
  const field = fields(context, needed);
  return element(
    "div",
    { class: "fields" },
    input(t, field("email", { type: "email", autocomplete: "email" })),
    input(t, field("phone", { type: "tel", autocomplete: "tel" })),
    (options.title_mandatory || hasTitle) && select(t, field("title", { autocomplete: "honorific-prefix", width: "half" }), offered),
    (options.date_of_birth_mandatory || hasTitle) &&
      input(t, field("date_of_birth", { autocomplete: "bday", hint: t("date_of_birth_hint"), width: "half" })),
    options.national_identification_number_mandatory && input(t, field("national_identification_number", { width: "half" })),
  );
}

/**
 * The fields of one address; the ids of the shipping address start with `shipping_`.
 *
 * @param {StepContext} context
 * @param {"billing" | "shipping"} kind
 * @returns {HTMLElement}
 */
export function addressFields(context, kind) {
  const { t, view, draft } = context;
  const prefix = kind === "shipping" ? "shipping_" : "";
  const field = fields(context, requiredFields(draft, view.options ?? {}), prefix, kind);
  const offered = allowedCountries(view, kind, draft.separate);
  const names = offered.map((code) => /** @type {[string, string]} */ ([code, countryName(code, view.locale)]));
  return element(
    "div",
    { class: "fields" },
    input(t, field("given_name", { autocomplete: "given-name", width: "half" })),
    input(t, field("family_name", { autocomplete: "family-name", width: "half" })),
    input(t, field("street_address", { autocomplete: "address-line1" })),
    input(t, field("street_address2", { autocomplete: "address-line2" })),
    input(t, field("postal_code", { autocomplete: "postal-code", width: "half" })),
    input(t, field("city", { autocomplete: "address-level2", width: "half" })),
    country(draft.values[`${prefix}country`])?.region_needed && input(t, field("region", { autocomplete: "address-level1", width: "half" })),
    select(t, field("country", { autocomplete: "country" }), names.sort((one, other) => one[1].localeCompare(other[1], view.locale))),
  );
}

/**
 * @param {StepContext} context
 * @param {Set<string>} needed
 * @param {string} prefix
 * @param {string} section of the autocomplete attribute
 * @returns {(name: string, more: Partial<Field>) => Field}
 */
function fields(context, needed, prefix = "", section = "") {
  return (name, more) => {
    const id = prefix + name;
    const { t, draft } = context;
    const field = { id, label: t(name), value: draft.values[id] ?? "", required: needed.has(id), error: errorText(context, id), ...more };
    return section ? { ...field, autocomplete: `${section} ${more.autocomplete}` } : field;
  };
}

/**
 * @typedef {Object} Field
 * @property {string} id
 * @property {string} label
 * @property {string} value
 * @property {boolean} required
 * @property {string} error "" if there is none
 * @property {string} [autocomplete]
 * @property {string} [type]
 * @property {string} [inputmode]
 * @property {string} [hint]
 * @property {string} [width] "half" for two fields in a line
 */

/**
 * A labelled input with a hint and an error message.
 *
 * @param {import("./texts.js").Translate} t
 * @param {Field} field
 * @returns {HTMLElement}
 */
function input(t, field) {
  const { id, type = "text", autocomplete, inputmode, value } = field;
  return wrapped(t, field, element("input", { id, name: id, type, dir: type === "text" && "auto", autocomplete, inputmode, value, ...aria(field) }));
}

/**
 * A labelled select; its first entry is empty unless a value is selected.
 *
 * @param {import("./texts.js").Translate} t
 * @param {Field} field
 * @param {[string, string][]} choices value and label
 * @returns {HTMLElement}
 */
function select(t, field, choices) {
  const offered = choices.some(([value]) => value === field.value) ? choices : [["", ""], ...choices];
  const options = offered.map(([value, label]) => element("option", { value, selected: value === field.value }, label));
  const { id, autocomplete } = field;
  return wrapped(t, field, element("select", { id, name: id, autocomplete, ...aria(field) }, options));
}

/**
 * @param {Field} field
 * @returns {Record<string, string | boolean>}
 */
function aria({ id, required, hint, error }) {
  const described = hint ? `${id}__hint ${id}__error` : `${id}__error`;
  return { "aria-required": String(required), "aria-describedby": described, "aria-invalid": error !== "" && "true" };
}

/**
 * @param {import("./texts.js").Translate} t
 * @param {Field} field
 * @param {HTMLElement} control
 * @returns {HTMLElement}
 */
function wrapped(t, { id, label, required, hint, width, error }, control) {
  const optional = element("span", { class: "optional" }, ` (${t("optional")})`);
  return element(
    "div",
    { class: width === "half" ? "field half" : "field", id: `${id}__root` },
    element("label", { for: id }, label, !required && optional),
    control,
    hint && element("p", { class: "hint", id: `${id}__hint` }, hint),
    element("p", { class: "error", id: `${id}__error` }, error),
  );
}

/**
 * The text of a field's error, "" if there is none.
 *
 * @param {StepContext} context
 * @param {string} id
 * @returns {string}
 */
export function errorText({ t, view, draft, errors }, id) {
  const name = errors[id];
  if (!name) return "";
  const code = draft.values[id.startsWith("shipping_") ? "shipping_country" : "country"] ?? "";
  return t(name, { country: countryName(code, view.locale), dialling: country(code)?.dialling ?? "" });
}
