import { activateButton, byId, element } from "./elements.js";
import { patch } from "./patch.js";
import { money } from "./texts.js";

/** @typedef {import("./session.js").Step} Step */
/** @typedef {import("./texts.js").Translate} Translate */
/** @typedef {import("./types.js").View} View */

/** The parts around the steps: heading, progress, error message, close button, and announcements for screen readers. */
export class Frame {
  /**
   * @param {() => void} close
   * @param {() => void} onEscape
   * @param {boolean} isEmbedded whether there is a page to go back to, also before the dialog is shown
   */
  constructor(close, onEscape, isEmbedded) {
    /** @type {Translate} */
    this.t = (name) => name;
    this.dialog = byId("dialog");
    /** The last total, formatted. */
    this.amount = "";
    activateButton("close-button", close).toggleAttribute("disabled", !isEmbedded);
    if (this.dialog.getAttribute("aria-modal") === "true") trapFocus(this.dialog, onEscape);
  }

  /**
   * @param {Translate} t
   * @param {string} code of the language
   * @param {View} view
   */
  translate(t, code, view) {
    this.t = t;
    document.documentElement.lang = code;
    document.title = `Instant Shopping · ${t("button_note")}`;
    patch(byId("merchant"), [view.merchant_name && element("bdi", {}, view.merchant_name)]);
    byId("close-button").setAttribute("aria-label", t("close"));
    byId("close-button").removeAttribute("disabled");
    this.announceTotal(view);
    for (const place of document.querySelectorAll("[data-text]")) patch(place, [t(place.getAttribute("data-text") ?? "")]);
    for (const image of document.querySelectorAll("img[data-label]")) image.setAttribute("alt", t(image.getAttribute("data-label") ?? ""));
  }

  /**
   * Announce the total if it has changed.
   *
   * @param {View} view
   */
  announceTotal({ totals, purchase_currency, locale }) {
    const now = money(totals.order_amount, purchase_currency, locale);
    if (this.amount && this.amount !== now) this.announce(`${this.t("total")}: ${now}`);
    this.amount = now;
  }

  /** @param {Step} step */
  progress(step) {
    const at = step === "identification" ? 0 : step === "review" ? 1 : 2;
    [...byId("progress").children].forEach((item, place) => {
      item.className = place < at ? "done" : "";
      if (place === at) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
  }

  /**
   * Scroll a new step to its top and focus its heading, unless the developer's drawer has the focus.
   *
   * @param {boolean} isFirst the first step takes the focus only if the dialog has it
   */
  startStep(isFirst) {
    byId("step").scrollTop = this.dialog.scrollTop = 0;
    window.scrollTo(0, 0);
    if (byId("drawer").contains(document.activeElement)) return;
    if (!isFirst || document.hasFocus()) this.focus();
  }

  /** Focus the heading when the page has given the focus to the dialog, unless the shopper is in a field already. */
  takeFocus() {
    if (document.activeElement === document.body) this.focus();
  }

  /** Focus the heading of the step. */
  focus() {
    const heading = document.getElementById("step-heading") ?? this.dialog;
    heading.focus({ preventScroll: true });
  }

  /** @param {boolean} busy */
  busy(busy) {
    byId("step").setAttribute("aria-busy", String(busy));
  }

  /** @param {string} text */
  announce(text) {
    byId("status").textContent = text;
  }

  /**
   * @param {string} name of a text, "" to remove the message
   * @param {Record<string, string>} values in the text
   */
  showError(name, values = {}) {
    byId("error-message").textContent = name ? this.t(name, values) : "";
  }

  /**
   * Show that the purchase is paused; for pages without a shop to go back to.
   *
   * @param {string} name of the text that says what happens meanwhile
   * @param {() => void} resume
   */
  showPaused(name, resume) {
    const button = element("button", { id: "resume-button", class: "primary", type: "button", onclick: resume }, this.t("resume"));
    const text = element("p", { class: "message" }, this.t(name));
    const heading = element("h2", { id: "step-heading", tabindex: "-1" }, this.t("paused_heading"));
    byId("step").replaceChildren(element("div", { class: "outcome pause", id: "outcome" }, element("div", { class: "outcome-icon", "aria-hidden": "true" }), heading, text, element("div", { class: "actions" }, button)));
    this.focus();
  }
}

const FOCUSABLE = "a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), summary, [tabindex='0']";

/**
 * Keep the keyboard focus in the dialog, and call back on Escape.
 *
 * @param {HTMLElement} dialog
 * @param {(event: KeyboardEvent) => void} onEscape
 */
function trapFocus(dialog, onEscape) {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) onEscape(event);
    if (event.key === "Tab") moveFocus(dialog, event);
  });
}

/**
 * Move from the last element to the first with Tab, and back with Shift+Tab.
 *
 * @param {HTMLElement} dialog
 * @param {KeyboardEvent} event
 */
function moveFocus(dialog, event) {
  const elements = focusable(dialog);
  const [first, last] = [elements[0], elements[elements.length - 1]];
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
 * The elements that Tab reaches: of a group of radio buttons only one.
 *
 * @param {HTMLElement} dialog
 * @returns {HTMLElement[]}
 */
function focusable(dialog) {
  /** @type {HTMLElement[]} */
  const found = [...dialog.querySelectorAll(FOCUSABLE)].filter((one) => one instanceof HTMLElement);
  return found.filter((one) => one.checkVisibility({ visibilityProperty: true }) && !isSkipped(one));
}

/**
 * @param {HTMLElement} one
 * @returns {boolean}
 */
function isSkipped(one) {
  if (!(one instanceof HTMLInputElement) || one.type !== "radio" || one.checked) return false;
  return document.querySelector(`input[type="radio"][name="${CSS.escape(one.name)}"]:checked`) !== null;
}
