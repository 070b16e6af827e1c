import { faults } from "./checks.js";
import { Refusal } from "./api.js";
import { allowed, country, countryName } from "./countries.js";
import { fieldOf, told } from "./draft.js";
import { element } from "./elements.js";
import { showFaults } from "./fields.js";
import { addressFields, identityFields } from "./form.js";
import { testShoppers } from "./shoppers.js";
import { gist } from "./sums.js";

/** @typedef {import("./texts.js").Say} Say */
/** @typedef {import("./types.js").View} View */
/** @typedef {import("./draft.js").Draft} Draft */
/**
 * @typedef {Object} Desk what a step works with
 * @property {Say} say
 * @property {View} view
 * @property {import("./session.js").Session} session
 * @property {Draft} draft
 * @property {(draft: Draft) => void} redraft take a changed draft and show the form anew
 * @property {() => void} identified go on to the review
 * @property {() => void} edit go back to the details
 * @property {(command: () => Promise<unknown>) => Promise<void>} perform do what the server may refuse
 * @property {(text: string) => void} announce
 * @property {() => void} pay
 * @property {boolean} isHosted whether there is a shop's page to go back to
 * @property {() => void} close
 * @property {(url: string) => void} leave
 */

/**
 * Step one: who buys, and where to. Prefilled by the page, by a test shopper, or typed by hand.
 *
 * @param {Desk} desk
 * @returns {HTMLElement}
 */
export function identification(desk) {
  const { say, view, draft } = desk;
  const form = element(
    "form",
    { id: "identification", novalidate: true },
    element("h2", { id: "step-heading", tabindex: "-1" }, say("your_details")),
    gist(desk),
    testShoppers(desk),
    identityFields(say, view, draft),
    addressFields(say, view, draft, "billing"),
    view.options?.allow_separate_shipping_address && separateSwitch(desk),
    draft.separate && element("fieldset", {}, element("legend", {}, say("shipping_address")), addressFields(say, view, draft, "shipping")),
    element("p", { class: "form-fault", role: "alert", id: "form-fault" }),
    element("button", { id: "address-button", class: "primary", type: "submit" }, say("continue")),
  );
  form.addEventListener("input", () => read(form, draft));
  form.addEventListener("change", (event) => turned(event, form, desk));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(form, desk);
  });
  return form;
}

/**
 * Keep what stands in the form; whoever types is no test shopper any more.
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
 * Show other fields where the country or the separate address asks for them.
 *
 * @param {Event} event
 * @param {HTMLFormElement} form
 * @param {Desk} desk
 */
function turned(event, form, { draft, redraft }) {
  const control = /** @type {HTMLInputElement} */ (event.target);
  read(form, draft);
  if (control.id === "separate-shipping") redraft({ ...draft, separate: control.checked, shopper: "" });
  if (control.id === "country" || control.id === "shipping_country") redraft(draft);
}

/**
 * @param {HTMLFormElement} form
 * @param {Desk} desk
 */
async function submit(form, desk) {
  read(form, desk.draft);
  const { view, draft, session } = desk;
  const served = { billing: allowed(view, "billing", draft.separate), shipping: allowed(view, "shipping", true) };
  const found = new Map(Object.entries(faults(draft, view.options ?? {}, served)));
  if (found.size) return refuse(form, desk, new Map([...found].map(([id, name]) => [id, sentence(desk, id, name)])));
  await desk.perform(() => session.identify(told(draft)).then(desk.identified, (failure) => explain(form, desk, failure)));
}

/**
 * Show what the server found; what is no fault of a field is for others to tell.
 *
 * @param {HTMLFormElement} form
 * @param {Desk} desk
 * @param {unknown} failure
 */
function explain(form, desk, failure) {
  if (!(failure instanceof Refusal) || !failure.problems.length) throw failure;
  const shown = (/** @type {string} */ id) => (form.querySelector(`#${CSS.escape(id)}`) ? id : id.replace("shipping_", ""));
  refuse(form, desk, new Map(failure.problems.map(({ path, expected }) => [shown(fieldOf(path)), desk.say("fault_other", { expected })])));
}

/**
 * @param {Desk} desk
 * @param {string} id
 * @param {string} name
 * @returns {string}
 */
function sentence({ say, view, draft }, id, name) {
  const code = draft.values[id.startsWith("shipping_") ? "shipping_country" : "country"] ?? "";
  return say(name, { country: countryName(code, view.locale), dialling: country(code)?.dialling ?? "" });
}

/**
 * @param {HTMLFormElement} form
 * @param {Desk} desk
 * @param {Map<string, string>} said
 */
function refuse(form, { say }, said) {
  const lost = [...said].filter(([id]) => !form.querySelector(`#${CSS.escape(id)}`)).map(([id, text]) => `${id}: ${text}`);
  const summary = form.querySelector("#form-fault");
  if (summary) summary.textContent = [say("check_fields", { count: said.size }), ...lost].join(" ");
  showFaults(form, said);
}

/**
 * @param {Desk} desk
 * @returns {HTMLElement}
 */
function separateSwitch({ say, draft }) {
  const box = element("input", { id: "separate-shipping", type: "checkbox", checked: draft.separate });
  return element("label", { class: "tick" }, box, element("span", {}, say("separate_shipping")));
}
