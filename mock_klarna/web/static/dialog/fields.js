import { element } from "./elements.js";

/** @typedef {import("./texts.js").Say} Say */
/**
 * @typedef {Object} Field
 * @property {string} id
 * @property {string} label
 * @property {string} value
 * @property {boolean} required
 * @property {string} [autocomplete]
 * @property {string} [type]
 * @property {string} [inputmode]
 * @property {string} [hint]
 * @property {string} [width] "half" shares its line
 */

/**
 * A labelled input with room for a hint and for what is wrong.
 *
 * @param {Say} say
 * @param {Field} field
 * @returns {HTMLElement}
 */
export function input(say, field) {
  const { id, type = "text", autocomplete, inputmode, value } = field;
  return wrapped(say, field, element("input", { id, name: id, type, autocomplete, inputmode, value, ...aria(field) }));
}

/**
 * A labelled choice; the first entry is empty unless something has been chosen already.
 *
 * @param {Say} say
 * @param {Field} field
 * @param {[string, string][]} choices value and label
 * @returns {HTMLElement}
 */
export function select(say, field, choices) {
  const offered = choices.some(([value]) => value === field.value) ? choices : [["", ""], ...choices];
  const options = offered.map(([value, label]) => element("option", { value, selected: value === field.value }, label));
  const { id, autocomplete } = field;
  return wrapped(say, field, element("select", { id, name: id, autocomplete, ...aria(field) }, options));
}

/**
 * @param {Field} field
 * @returns {Record<string, string | boolean>}
 */
function aria({ id, required, hint }) {
  const described = hint ? `${id}__hint ${id}__fault` : `${id}__fault`;
  return { "aria-required": String(required), "aria-describedby": described };
}

/**
 * @param {Say} say
 * @param {Field} field
 * @param {HTMLElement} control
 * @returns {HTMLElement}
 */
function wrapped(say, { id, label, required, hint, width }, control) {
  const optional = element("span", { class: "optional" }, ` (${say("optional")})`);
  return element(
    "div",
    { class: width === "half" ? "field half" : "field", id: `${id}__root` },
    element("label", { for: id }, label, !required && optional),
    control,
    hint && element("p", { class: "hint", id: `${id}__hint` }, hint),
    element("p", { class: "fault", id: `${id}__fault` }),
  );
}

/**
 * Write beside each field what is wrong with it, and go to the first.
 *
 * @param {HTMLElement} form
 * @param {Map<string, string>} said text by field id
 */
export function showFaults(form, said) {
  for (const control of form.querySelectorAll("input[id], select[id]")) mark(control, said.get(control.id));
  const first = form.querySelector('[aria-invalid="true"]');
  if (first instanceof HTMLElement) first.focus();
}

/**
 * @param {Element} control
 * @param {string | undefined} text
 */
function mark(control, text) {
  const place = document.getElementById(`${control.id}__fault`);
  if (!place) return;
  place.textContent = text ?? "";
  if (text) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}
