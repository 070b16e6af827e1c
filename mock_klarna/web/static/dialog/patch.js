import { adoptListeners, nodes } from "./elements.js";

/** @typedef {import("./elements.js").Child} Child */
/** @typedef {HTMLInputElement | HTMLSelectElement} Control */

/**
 * The value that each control was last rendered with, in a text. What the shopper enters differs from it.
 *
 * @type {WeakMap<Control, string>}
 */
const rendered = new WeakMap();

/**
 * Change the content of an element to the given one, in place: elements that are in both stay, with their focus, selection,
 * scroll position and composition of characters. A control keeps what the shopper has entered unless its rendered value changes.
 *
 * @param {Element} place
 * @param {Child[]} content
 * @param {boolean} reset whether controls get their rendered values back
 */
export function patch(place, content, reset = false) {
  const wanted = nodes(content);
  const free = [...place.childNodes];
  const kept = wanted.map((node) => {
    const at = free.findIndex((old) => isSame(old, node));
    return at < 0 ? null : (free.splice(at, 1)[0] ?? null);
  });
  for (const node of free) node.remove();
  let next = place.firstChild;
  for (const [at, node] of wanted.entries()) {
    const old = kept[at];
    if (!old) {
      place.insertBefore(node, next);
      continue;
    }
    next = moveTo(next, old);
    patchNode(old, node, reset);
  }
}

/**
 * Move a node to a position among its siblings; of the nodes to move, the one with the focus stays where it is.
 *
 * @param {ChildNode | null} next the node at the position
 * @param {ChildNode} node
 * @returns {ChildNode | null} the node at the following position
 */
function moveTo(next, node) {
  if (node.contains(document.activeElement)) {
    for (let at = next; at && at !== node; at = next) {
      next = at.nextSibling;
      node.parentNode?.append(at);
    }
    return node.nextSibling;
  }
  if (next === node) return node.nextSibling;
  node.parentNode?.insertBefore(node, next);
  return next;
}

/**
 * @param {Node} old
 * @param {Node} fresh
 * @returns {boolean}
 */
function isSame(old, fresh) {
  if (old.nodeName !== fresh.nodeName) return false;
  return !(old instanceof HTMLElement && fresh instanceof HTMLElement) || keyOf(old) === keyOf(fresh);
}

/**
 * What distinguishes an element from its siblings.
 *
 * @param {HTMLElement} one
 * @returns {string}
 */
function keyOf(one) {
  const type = one instanceof HTMLInputElement ? one.type : "";
  return type + (one.dataset.key ?? (one.id || one.getAttribute("aria-labelledby") || one.getAttribute("for") || ""));
}

/**
 * @param {ChildNode} old
 * @param {Node} fresh
 * @param {boolean} reset
 */
function patchNode(old, fresh, reset) {
  if (old instanceof Text) {
    const text = fresh.textContent ?? "";
    if (old.data !== text) old.data = text;
  }
  if (!(old instanceof HTMLElement && fresh instanceof HTMLElement)) return;
  patchAttributes(old, fresh);
  adoptListeners(old, fresh);
  if (isControl(old) && isControl(fresh)) return patchControl(old, fresh, reset);
  patch(old, [...fresh.childNodes], reset);
}

/**
 * Change the attributes, except those with the initial value of a control, and whether details are open.
 *
 * @param {HTMLElement} old
 * @param {HTMLElement} fresh
 */
function patchAttributes(old, fresh) {
  const initial = initialAttribute(old);
  for (const name of old.getAttributeNames()) if (name !== initial && !fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const name of fresh.getAttributeNames()) {
    const value = fresh.getAttribute(name) ?? "";
    if (name !== initial && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

/**
 * The attribute that says how an element begins, "" if it has none.
 *
 * @param {HTMLElement} one
 * @returns {string}
 */
function initialAttribute(one) {
  if (one instanceof HTMLOptionElement) return "selected";
  if (one instanceof HTMLDetailsElement) return "open";
  return isChecked(one) ? "checked" : one instanceof HTMLInputElement ? "value" : "";
}

/**
 * @param {Control} old
 * @param {Control} fresh
 * @param {boolean} reset
 */
function patchControl(old, fresh, reset) {
  const before = rendered.get(old) ?? initialValue(old);
  const now = initialValue(fresh);
  const isNew = reset || before !== now;
  rendered.set(old, now);
  if (isChecked(old) && isChecked(fresh)) {
    if (isNew) old.checked = fresh.checked;
    return;
  }
  const entered = old.value;
  const isTyped = old === document.activeElement && entered !== before && !reset;
  patch(old, [...fresh.childNodes], reset); // the options of a select
  const wanted = isNew && !isTyped ? fresh.value : entered;
  if (old.value !== wanted) old.value = wanted;
  if (old.value !== wanted) old.value = fresh.value; // the option is gone
}

/**
 * @param {Control} control
 * @returns {string}
 */
function initialValue(control) {
  if (isChecked(control)) return String(control.defaultChecked);
  if (control instanceof HTMLInputElement) return control.defaultValue;
  return ([...control.options].find((option) => option.defaultSelected) ?? control.options[0])?.value ?? "";
}

/**
 * @param {Element} one
 * @returns {one is Control}
 */
function isControl(one) {
  return one instanceof HTMLInputElement || one instanceof HTMLSelectElement;
}

/**
 * @param {Element} one
 * @returns {one is HTMLInputElement}
 */
function isChecked(one) {
  return one instanceof HTMLInputElement && (one.type === "checkbox" || one.type === "radio");
}
