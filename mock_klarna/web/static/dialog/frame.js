import { byId, element, wired } from "./elements.js";
import { guard } from "./keyboard.js";
import { money } from "./money.js";

/** @typedef {import("./texts.js").Say} Say */
/** @typedef {import("./types.js").View} View */
/** @typedef {import("./flow.js").Step} Step */

/** What stays around the steps: heading, progress, complaints, the way out, and the voice for who cannot see. */
export class Frame {
  /**
   * @param {() => void} close
   * @param {() => void} escaped
   */
  constructor(close, escaped) {
    /** @type {Say} */
    this.say = (name) => name;
    this.dialog = byId("dialog");
    /** The total as it was said last. */
    this.amount = "";
    wired("close-button", close);
    if (this.dialog.getAttribute("aria-modal") === "true") guard(this.dialog, escaped);
  }

  /**
   * @param {Say} say
   * @param {string} spoken
   * @param {View} view
   */
  speak(say, spoken, view) {
    this.say = say;
    document.documentElement.lang = spoken;
    byId("merchant").textContent = view.merchant_name ?? "";
    byId("close-button").setAttribute("aria-label", say("close"));
    this.total(view);
    for (const place of document.querySelectorAll("[data-text]")) place.textContent = say(place.getAttribute("data-text") ?? "");
    for (const image of document.querySelectorAll("img[data-label]")) image.setAttribute("alt", say(image.getAttribute("data-label") ?? ""));
  }

  /**
   * Say the total when it has changed.
   *
   * @param {View} view
   */
  total({ totals, purchase_currency, locale }) {
    const now = money(totals.order_amount, purchase_currency, locale);
    if (this.amount && this.amount !== now) this.announce(`${this.say("total")}: ${now}`);
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
   * Begin a step at its top, with the focus on its heading.
   *
   * @param {boolean} quietly whether the page around is to bring the focus
   */
  arrive(quietly) {
    byId("step").scrollTop = 0;
    window.scrollTo(0, 0);
    if (!quietly || document.hasFocus()) this.focus();
  }

  /** Bring the focus into the dialog, unless it is there. */
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

  /** @param {string} name of a text, "" to take the complaint back */
  complain(name) {
    byId("complaint").textContent = name ? this.say(name) : "";
  }

  /**
   * Show that the purchase waits for its shopper, where there is no page to go back to.
   *
   * @param {() => void} resume
   */
  putAside(resume) {
    const go = element("button", { id: "resume-button", class: "primary", type: "button", onclick: resume }, this.say("resume"));
    const words = element("p", { class: "message" }, this.say("aside_text"));
    const heading = element("h2", { id: "step-heading", tabindex: "-1" }, this.say("aside_heading"));
    byId("step").replaceChildren(element("div", { class: "ending pause", id: "ending" }, element("div", { class: "mark", "aria-hidden": "true" }), heading, words, go));
    this.focus();
  }
}
