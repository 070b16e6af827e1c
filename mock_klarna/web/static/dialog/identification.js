import { allowedCountries } from "./countries.js";
import { draftOf, draftOfShopper, fieldErrors, identifyBody } from "./draft.js";
import { element } from "./elements.js";
import { addressFields, errorText, identityFields } from "./form.js";
import { orderSummary } from "./products.js";
import { ask } from "./session.js";

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
  const summary = element("p", { class: "form-error", role: "alert", id: "form-error" });
  const form = element(
    "form",
    {
      id: "identification",
      novalidate: true,
      oninput: ({ currentTarget }) => read(currentTarget, context),
      onchange: (event) => changed(event, event.currentTarget, context),
    },
    element("h2", { id: "step-heading", tabindex: "-1" }, t("your_details")),
    orderSummary(context),
    testShoppers(context),
    identityFields(context),
    addressFields(context, "billing"),
    view.options?.allow_separate_shipping_address && separateSwitch(context),
    draft.separate && element("fieldset", { id: "shipping-address" }, element("legend", {}, t("shipping_address")), addressFields(context, "shipping")),
    element(
      "div",
      { class: "actions" },
      summary,
      element("button", { id: "address-button", class: "primary", type: "submit", onclick: (event) => clicked(event, context) }, t("continue")),
    ),
  );
  summary.textContent = errorSummary(form, context);
  return form;
}

/**
 * Read the fields into the draft; after a change, it is no longer the test shopper's.
 *
 * @param {HTMLFormElement} form
 * @param {StepContext} context
 */
function read(form, { draft }) {
  for (const control of form.querySelectorAll("input[name], select[name]")) {
    if (!(control instanceof HTMLInputElement || control instanceof HTMLSelectElement)) continue;
    if (draft.values[control.name] !== control.value && (draft.values[control.name] || control.value)) draft.shopper = "";
    draft.values[control.name] = control.value;
  }
}

/** Fields whose errors depend on the country. */
const COUNTRY_FIELDS = ["country", "region", "postal_code", "phone", "title"];

/**
 * Render the form again if the country or the separate address changes its fields.
 *
 * @param {Event} event
 * @param {HTMLFormElement} form
 * @param {StepContext} context
 */
function changed(event, form, context) {
  const control = /** @type {HTMLInputElement} */ (event.target);
  const { draft, errors, redraft } = context;
  read(form, context);
  if (control.id === "separate-shipping") redraft({ ...draft, separate: control.checked, shopper: "" });
  if (control.id !== "country" && control.id !== "shipping_country") return;
  for (const name of COUNTRY_FIELDS) delete errors[control.id.replace("country", name)];
  redraft(draft);
}

/**
 * Submit the form in place of the browser, which submits no form in a sandboxed frame. The Enter key clicks the button too.
 *
 * @param {Event} event
 * @param {StepContext} context
 */
function clicked(event, context) {
  event.preventDefault();
  const { form } = /** @type {HTMLButtonElement} */ (event.currentTarget);
  if (form) submit(form, context);
}

/** The body of the request that is not answered yet: a double click sends it once, so that the shop is asked once. */
let unanswered = "";

/**
 * @param {HTMLFormElement} form
 * @param {StepContext} context
 */
async function submit(form, context) {
  read(form, context);
  const { view, draft, session } = context;
  const countries = { billing: allowedCountries(view, "billing", draft.separate), shipping: allowedCountries(view, "shipping", true) };
  const errors = fieldErrors(draft, view.options ?? {}, countries);
  context.showErrors(errors);
  if (Object.keys(errors).length) return;
  const body = identifyBody({ ...draft, values: sentValues(form, context) });
  const text = JSON.stringify(body);
  if (text === unanswered) return;
  unanswered = text;
  await context.perform(() => session.identify(body).then(context.showReview)).finally(() => (unanswered = ""));
}

/**
 * The values of the fields, and those of the page without a field: not what was typed into a field that the form no longer has.
 *
 * @param {HTMLFormElement} form
 * @param {StepContext} context
 * @returns {import("./draft.js").Values}
 */
function sentValues(form, { view, draft }) {
  const ofPage = draftOf(view).values;
  const isSent = (/** @type {[string, string]} */ [name, value]) => value === ofPage[name] || form.querySelector(`[name="${name}"]`) !== null;
  return Object.fromEntries(Object.entries(draft.values).filter(isSent));
}

/**
 * How many fields are invalid, and the errors of those that the form does not have.
 *
 * @param {HTMLFormElement} form
 * @param {StepContext} context
 * @returns {string}
 */
function errorSummary(form, context) {
  const names = Object.keys(context.errors);
  if (!names.length) return "";
  const withoutField = names.filter((id) => !form.querySelector(`#${CSS.escape(id)}`));
  const texts = withoutField.map((id) => `${context.t(id.replace("shipping_", ""))}: ${errorText(context, id)}`);
  return [context.t("check_fields", { count: names.length }), ...texts].join(" ");
}

/**
 * @param {StepContext} context
 * @returns {HTMLElement}
 */
function separateSwitch({ t, draft }) {
  const box = element("input", { id: "separate-shipping", type: "checkbox", checked: draft.separate });
  return element("label", { class: "choice", for: box.id }, box, element("span", {}, t("separate_shipping")));
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
  const selected = shoppers.find(({ name }) => name === (context.testShopper || draft.shopper)) ?? shoppers[0];
  const options = shoppers.map(({ name }) => element("option", { value: name, selected: name === selected?.name }, name));
  const select = (/** @type {any} */ event) => context.selectTestShopper(event.currentTarget.value);
  const choice = element("select", { id: "test-shopper", "aria-describedby": "test-shopper-is", onchange: select }, options);
  const description = element("p", { id: "test-shopper-is", class: "hint", "aria-live": "polite" }, selected?.description);
  const fill = () => context.perform(() => fillIn(selected?.name ?? "", context));
  const button = element("button", { id: "fill-button", class: "secondary", type: "button", onclick: fill }, t("fill_in"));
  const label = element("label", { for: "test-shopper" }, t("test_shopper"));
  return element("div", { class: "test-shopper", id: "test-shopper__root" }, label, element("div", { class: "row" }, choice, button), description);
}

/**
 * @param {string} name
 * @param {StepContext} context
 */
async function fillIn(name, context) {
  const { shoppers } = await ask(`shoppers?country=${encodeURIComponent(context.view.purchase_country)}`);
  const shopper = shoppers.find((/** @type {Shopper} */ one) => one.name === name);
  if (!shopper) return;
  context.showErrors({}); // those of what was typed before
  context.redraft(draftOfShopper(shopper, context.view.options ?? {}));
  context.announce(context.t("filled_in", { name }));
}
