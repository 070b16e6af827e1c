/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {string | number | boolean | null | undefined | ((event: any) => unknown)} Value */

/**
 * Make an element. Attributes named `on…` are listeners; false, null and undefined ones are left out.
 * Whatever a merchant wrote comes in as a child and becomes text: there is no way to pass markup.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, Value>} attributes
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) assign(made, name, value);
  made.append(...children.flat().filter(isShown).map((child) => (child instanceof Node ? child : String(child))));
  return made;
}

/**
 * @param {Child} child
 * @returns {child is Node | string | number}
 */
function isShown(child) {
  return child !== null && child !== undefined && child !== false;
}

/**
 * @param {HTMLElement} made
 * @param {string} name
 * @param {Value} value
 */
function assign(made, name, value) {
  if (typeof value === "function") made.addEventListener(name.slice(2), value);
  else if (value === true) made.setAttribute(name, "");
  else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
}

/**
 * The element of an id that is known to be there.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found;
}

/**
 * Let a button of the page do something; until then it is not there to be clicked in vain.
 *
 * @param {string} id
 * @param {() => void} clicked
 * @returns {HTMLElement}
 */
export function wired(id, clicked) {
  const button = byId(id);
  button.addEventListener("click", clicked);
  button.hidden = false;
  return button;
}

/**
 * Put new content into an element, and keep the focus where the reader had it when its element is there again.
 *
 * @param {HTMLElement} place
 * @param {...Child} content
 */
export function replaceContent(place, ...content) {
  const active = document.activeElement;
  const id = active instanceof HTMLElement && place.contains(active) ? active.id : "";
  place.replaceChildren(...content.filter(isShown).map((child) => (child instanceof Node ? child : String(child))));
  if (id) document.getElementById(id)?.focus({ preventScroll: true });
}
