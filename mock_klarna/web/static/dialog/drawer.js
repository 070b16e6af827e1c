import { ask } from "./api.js";
import { byId, element, replaceContent, wired } from "./elements.js";
import { entryRow, json } from "./timeline.js";

/** @typedef {import("./texts.js").Say} Say */
/** @typedef {import("./types.js").View} View */
/** @typedef {import("./timeline.js").Entry} Entry */

const OUTCOMES = ["", "ACCEPTED", "PENDING", "REJECTED"];
const PAUSE_MS = 1500;

/** The developer's drawer: what happened so far with every payload, and the outcome to force. Speaks English. */
export class Drawer {
  /** @param {string} session */
  constructor(session) {
    this.path = `sessions/${encodeURIComponent(session)}/timeline`;
    this.position = 0;
    /** What the drawer forces, "" for what the shopper's e-mail address decides. */
    this.outcome = "";
    this.place = byId("drawer");
    this.opener = wired("drawer-button", () => this.toggle());
    this.rows = element("ol", { id: "timeline", "aria-label": "Timeline" });
    this.payload = element("details", { id: "session-payload" }, element("summary", {}, "Session as it is now"));
    /** @type {View | null} */
    this.view = null;
  }

  /** @returns {HTMLElement[]} */
  content() {
    const close = element("button", { id: "drawer-close", type: "button", class: "icon", "aria-label": "Close the developer's drawer", onclick: () => this.toggle() }, "×");
    return [
      element("div", { class: "drawer-head" }, element("h2", { id: "drawer-heading" }, "Developer"), close),
      this.outcomes(),
      this.payload,
      element("h3", {}, "Timeline"),
      this.rows,
    ];
  }

  /** @returns {HTMLElement} */
  outcomes() {
    const rows = OUTCOMES.map((outcome) => {
      const pick = () => (this.outcome = outcome);
      const id = `outcome-${outcome.toLowerCase() || "shopper"}`;
      const radio = element("input", { type: "radio", name: "outcome", id, value: outcome, checked: outcome === this.outcome, onchange: pick });
      return element("label", { class: "tick", for: id }, radio, element("span", {}, outcome || "As the shopper's e-mail address decides"));
    });
    return element("fieldset", { class: "outcomes" }, element("legend", {}, "Klarna's risk check answers"), rows);
  }

  get isOpen() {
    return !this.place.hidden;
  }

  /** Open or close, and bring the focus along. What is closed is empty: nothing of it is to be found in the page. */
  toggle() {
    this.place.replaceChildren(...(this.isOpen ? [] : this.content()));
    this.place.hidden = this.isOpen;
    this.opener.setAttribute("aria-expanded", String(this.isOpen));
    document.body.classList.toggle("with-drawer", this.isOpen);
    (this.isOpen ? byId("drawer-close") : this.opener).focus();
    if (this.view) this.show(this.view);
  }

  /** Read the timeline on, again and again while the drawer is open. */
  async follow() {
    clearTimeout(this.timer);
    await this.readOn().catch(() => undefined);
    clearTimeout(this.timer);
    if (this.isOpen) this.timer = setTimeout(() => this.follow(), PAUSE_MS);
  }

  async readOn() {
    const { entries, position } = await ask(`${this.path}?after=${this.position}`);
    const fresh = entries.filter((/** @type {Entry} */ entry) => entry.seq > this.position);
    this.position = Math.max(this.position, position ?? 0);
    this.rows.append(...fresh.map(entryRow));
  }

  /** @param {View} view */
  show(view) {
    this.view = view;
    if (!this.isOpen) return;
    replaceContent(this.payload, this.payload.firstElementChild, json(view));
    this.follow();
  }
}
