/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {string | number | boolean | null | undefined | ((event: any) => unknown)} Value */

/**
 * The listeners of each element by type of event. One function per event calls them, so that `patch` can replace them.
 *
 * @type {WeakMap<Element, Record<string, (event: any) => unknown>>}
 */
const listeners = new WeakMap();

/** @param {Event} event */
function callListener(event) {
  listeners.get(/** @type {Element} */ (event.currentTarget))?.[event.type]?.(event);
}

/**
 * @param {Element} target
 * @param {string} type
 * @param {(event: any) => unknown} listener
 */
function listen(target, type, listener) {
  target.addEventListener(type, callListener); // adding the same function again changes nothing
  listeners.set(target, { ...listeners.get(target), [type]: listener });
}

/**
 * Give an element the listeners of another one, in place of its own.
 *
 * @param {Element} target
 * @param {Element} source
 */
export function adoptListeners(target, source) {
  listeners.delete(target);
  for (const [type, listener] of Object.entries(listeners.get(source) ?? {})) listen(target, type, listener);
}

/**
 * Create an element. Attributes named `on…` are listeners; those that are false, null or undefined are left out.
 * Children that are not nodes become text, so that merchants' texts cannot contain markup.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, Value>} attributes
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) assign(created, name, value);
  created.append(...nodes(children.flat()));
  return created;
}

/**
 * The children as nodes; those that are false, null or undefined are left out.
 *
 * @param {Child[]} children
 * @returns {Node[]}
 */
export function nodes(children) {
  return children.filter(isShown).map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}

/**
 * @param {Child} child
 * @returns {child is Node | string | number}
 */
function isShown(child) {
  return child !== null && child !== undefined && child !== false;
}

/**
 * @param {HTMLElement} created
 * @param {string} name
 * @param {Value} value
 */
function assign(created, name, value) {
  if (typeof value === "function") listen(created, name.slice(2), value);
  else if (value === true) created.setAttribute(name, "");
  else if (value !== false && value !== null && value !== undefined) created.setAttribute(name, String(value));
}

/**
 * The element with an id; throws if there is none.
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
 * Show a button of the page and set its action.
 *
 * @param {string} id
 * @param {() => void} action
 * @returns {HTMLElement}
 */
export function activateButton(id, action) {
  const button = byId(id);
  button.addEventListener("click", action);
  button.hidden = false;
  return button;
}

/**
 * The absolute URL if its scheme is http or https; null for anything else, such as `javascript:`.
 *
 * @param {unknown} url
 * @returns {string | null}
 */
export function safeUrl(url) {
  if (typeof url !== "string") return null;
  try {
    const parsed = new URL(url);
    return parsed.protocol === "https:" || parsed.protocol === "http:" ? parsed.href : null;
  } catch {
    return null;
  }
}

/**
 * A link that opens in a new tab, or plain text if its URL is not safe.
 *
 * @param {unknown} url
 * @param {string} text
 * @returns {HTMLElement}
 */
export function link(url, text) {
  const href = safeUrl(url);
  return href ? element("a", { href, target: "_blank", rel: "noopener noreferrer" }, text) : element("span", {}, text);
}
