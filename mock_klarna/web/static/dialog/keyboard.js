const REACHABLE = "a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), summary, [tabindex='0']";

/**
 * Keep the keyboard inside the dialog, and let Escape leave it.
 *
 * @param {HTMLElement} dialog
 * @param {(event: KeyboardEvent) => void} escaped
 */
export function guard(dialog, escaped) {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") escaped(event);
    if (event.key === "Tab") turn(dialog, event);
  });
}

/**
 * At the last element Tab goes to the first, at the first Shift+Tab to the last.
 *
 * @param {HTMLElement} dialog
 * @param {KeyboardEvent} event
 */
function turn(dialog, event) {
  const stops = reachable(dialog);
  const [first, last] = [stops[0], stops[stops.length - 1]];
  const active = document.activeElement;
  if (!first || !last) return;
  const isOutside = !(active instanceof Node) || !dialog.contains(active);
  if (event.shiftKey ? isOutside || isBefore(active, first) : isOutside || active === last) {
    event.preventDefault();
    (event.shiftKey ? last : first).focus();
  }
}

/**
 * @param {Element} active
 * @param {HTMLElement} first
 * @returns {boolean}
 */
function isBefore(active, first) {
  return active === first || Boolean(active.compareDocumentPosition(first) & Node.DOCUMENT_POSITION_FOLLOWING);
}

/**
 * What Tab stops at: of a group of radio buttons only one.
 *
 * @param {HTMLElement} dialog
 * @returns {HTMLElement[]}
 */
function reachable(dialog) {
  /** @type {HTMLElement[]} */
  const found = [...dialog.querySelectorAll(REACHABLE)].filter((one) => one instanceof HTMLElement);
  return found.filter((one) => one.checkVisibility() && !isPassedOver(one));
}

/**
 * @param {HTMLElement} one
 * @returns {boolean}
 */
function isPassedOver(one) {
  if (!(one instanceof HTMLInputElement) || one.type !== "radio" || one.checked) return false;
  return document.querySelector(`input[type="radio"][name="${CSS.escape(one.name)}"]:checked`) !== null;
}
