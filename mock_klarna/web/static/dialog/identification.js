import { allowedCountries, country, countryName } from "./countries.js";
import { draftOfShopper, fieldErrors, fieldOf, identifyBody } from "./draft.js";
import { element } from "./elements.js";
import { addressFields, identityFields, showFieldErrors } from "./form.js";
import { orderSummary } from "./review.js";
import { ask, RequestError } from "./session.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./texts.js").Translate} Translate */
/** @typedef {import("./types.js").StepContext} StepContext */
/** @typedef {import("./types.js").Shopper} Shopper */
/** @typedef {import("./types.js").View} View */

/**
 * The first step: the shopper's data and addresses, from the page, a test shopper, or typed.
 *
 * @param {StepContext} context
 * @returns {HTMLElement}
 */
export function identification(context) {
  const { t, view, draft } = context;
  const form = element(
    "form",
    { id: "identification", novalidate: true },
    element("h2", { id: "step-heading", tabindex: "-1" }, t("your_details")),
    orderSummary(context),
    testShoppers(context),
    identityFields(t, view, draft),
    addressFields(t, view, draft, "billing"),
    view.options?.allow_separate_shipping_address && separateSwitch(context),
    draft.separate && element("fieldset", {}, element("legend", {}, t("shipping_address")), addressFields(t, view, draft, "shipping")),
    element("p", { class: "form-error", role: "alert", id: "form-error" }),
    element("button", { id: "address-button", class: "primary", type: "submit" }, t("continue")),
  );
  form.addEventListener("input", () => read(form, draft));
  form.addEventListener("change", (event) => changed(event, form, context));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(form, context);
  });
  return form;
}

/**
 * Read the fields into the draft; after a change, it is no longer the test shopper's.
 *
 * @param {HTMLFormElement} form
 * @param {Draft} draft
 */
function read(form, draft) {
  for (const control of form.querySelectorAll("input[name], select[name]")) {
    if (!(control instanceof HTMLInputElement || control instanceof HTMLSelectElement)) continue;
    if (draft.values[control.name] !== control.value && (draft.values[control.name] || control.value)) draft.shopper = "";
    draft.values[control.name] = control.value;
  }
}

/**
 * Render the form again if the country or the separate address changes its fields.
 *
 * @param {Event} event
 * @param {HTMLFormElement} form
 * @param {StepContext} context
 */
function changed(event, form, { draft, redraft }) {
  const control = /** @type {HTMLInputElement} */ (event.target);
  read(form, draft);
  if (control.id === "separate-shipping") redraft({ ...draft, separate: control.checked, shopper: "" });
  if (control.id === "country" || control.id === "shipping_country") redraft(draft);
}

/**
 * @param {HTMLFormElement} form
 * @param {StepContext} context
 */
async function submit(form, context) {
  read(form, context.draft);
  const { view, draft, session } = context;
  const countries = { billing: allowedCountries(view, "billing", draft.separate), shipping: allowedCountries(view, "shipping", true) };
  const errors = new Map(Object.entries(fieldErrors(draft, view.options ?? {}, countries)));
  if (errors.size) return showErrors(form, context, new Map([...errors].map(([id, name]) => [id, errorText(context, id, name)])));
  await context.perform(() => session.identify(identifyBody(draft)).then(context.showReview, (error) => showProblems(form, context, error)));
}

/**
 * Show the problems of the server's answer beside their fields; other errors are thrown again.
 *
 * @param {HTMLFormElement} form
 * @param {StepContext} context
 * @param {unknown} error
 */
function showProblems(form, context, error) {
  if (!(error instanceof RequestError) || !error.problems.length) throw error;
  const shown = (/** @type {string} */ id) => (form.querySelector(`#${CSS.escape(id)}`) ? id : id.replace("shipping_", ""));
  showErrors(form, context, new Map(error.problems.map(({ path, expected }) => [shown(fieldOf(path)), context.t("error_other", { expected })])));
}

/**
 * @param {StepContext} context
 * @param {string} id
 * @param {string} name
 * @returns {string}
 */
function errorText({ t, view, draft }, id, name) {
  const code = draft.values[id.startsWith("shipping_") ? "shipping_country" : "country"] ?? "";
  return t(name, { country: countryName(code, view.locale), dialling: country(code)?.dialling ?? "" });
}

/**
 * @param {HTMLFormElement} form
 * @param {StepContext} context
 * @param {Map<string, string>} errors
 */
function showErrors(form, { t }, errors) {
  const withoutField = [...errors].filter(([id]) => !form.querySelector(`#${CSS.escape(id)}`)).map(([id, text]) => `${id}: ${text}`);
  const summary = form.querySelector("#form-error");
  if (summary) summary.textContent = [t("check_fields", { count: errors.size }), ...withoutField].join(" ");
  showFieldErrors(form, errors);
}

/**
 * @param {StepContext} context
 * @returns {HTMLElement}
 */
function separateSwitch({ t, draft }) {
  const box = element("input", { id: "separate-shipping", type: "checkbox", checked: draft.separate });
  return element("label", { class: "choice" }, box, element("span", {}, t("separate_shipping")));
}

/**
 * The choice of a test shopper of the country, whose data fill the form.
 *
 * @param {StepContext} context
 * @returns {HTMLElement | false}
 */
function testShoppers(context) {
  const { t, view, draft } = context;
  const shoppers = view.shoppers ?? [];
  if (!shoppers.length) return false;
  const options = shoppers.map(({ name }) => element("option", { value: name, selected: name === draft.shopper }, name));
  const choice = element("select", { id: "test-shopper", "aria-describedby": "test-shopper-is" }, options);
  const description = element("p", { id: "test-shopper-is", class: "hint", "aria-live": "polite" });
  const describe = () => (description.textContent = shoppers.find(({ name }) => name === choice.value)?.description ?? "");
  choice.addEventListener("change", describe);
  describe();
  const fill = () => context.perform(() => fillIn(choice.value, context));
  const button = element("button", { id: "fill-button", class: "secondary", type: "button", onclick: fill }, t("fill_in"));
  const label = element("label", { for: "test-shopper" }, t("test_shopper"));
  return element("div", { class: "test-shopper" }, label, element("div", { class: "row" }, choice, button), description);
}

/**
 * @param {string} name
 * @param {StepContext} context
 */
async function fillIn(name, context) {
  const { shoppers } = await ask(`/_mock/shoppers?country=${encodeURIComponent(context.view.purchase_country)}`);
  const shopper = shoppers.find((/** @type {Shopper} */ one) => one.name === name);
  if (!shopper) return;
  context.redraft(draftOfShopper(shopper, context.view.options ?? {}));
  context.announce(context.t("filled_in", { name }));
}
