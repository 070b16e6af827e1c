import { activateButton, byId, element } from "./elements.js";
import { patch } from "./patch.js";
import { ask } from "./session.js";

/** @typedef {import("./texts.js").Translate} Translate */
/** @typedef {import("./types.js").View} View */

const OUTCOMES = ["", "ACCEPTED", "PENDING", "REJECTED"];
const PAUSE_MS = 1500;
const PAYLOAD_HEADING = "Session as it is now";

/** The developer's drawer, in English: the journal with all payloads, and the result of the risk check to force. */
export class Drawer {
  /** @param {string} session */
  constructor(session) {
    this.path = `sessions/${encodeURIComponent(session)}/timeline`;
    this.position = 0;
    /** The forced result, "" if the shopper's e-mail address decides. */
    this.outcome = "";
    this.place = byId("drawer");
    this.opener = activateButton("drawer-button", () => this.toggle());
    this.rows = element("ol", { id: "timeline", "aria-label": "Timeline" });
    this.payload = element("details", { id: "session-payload" }, element("summary", {}, PAYLOAD_HEADING));
    /** @type {View | null} */
    this.view = null;
  }

  /** @returns {HTMLElement[]} */
  content() {
    const close = element("button", { id: "drawer-close", type: "button", class: "icon", "aria-label": "Close the developer's drawer", onclick: () => this.toggle() }, "×");
    return [
      element("div", { class: "drawer-head" }, element("h2", { id: "drawer-heading" }, "Developer"), close),
      this.outcomeChoice(),
      this.payload,
      element("h3", {}, "Timeline"),
      this.rows,
    ];
  }

  /** @returns {HTMLElement} */
  outcomeChoice() {
    const rows = OUTCOMES.map((outcome) => {
      const pick = () => (this.outcome = outcome);
      const id = `outcome-${outcome.toLowerCase() || "shopper"}`;
      const radio = element("input", { type: "radio", name: "outcome", id, value: outcome, checked: outcome === this.outcome, onchange: pick });
      return element("label", { class: "choice", for: id }, radio, element("span", {}, outcome || "As the shopper's e-mail address decides"));
    });
    return element("fieldset", { class: "forced-outcome" }, element("legend", {}, "Klarna's risk check answers"), rows);
  }

  get isOpen() {
    return !this.place.hidden;
  }

  /** Open or close the drawer and move the focus. A closed drawer is empty. */
  toggle() {
    this.place.replaceChildren(...(this.isOpen ? [] : this.content()));
    this.place.hidden = this.isOpen;
    this.opener.setAttribute("aria-expanded", String(this.isOpen));
    document.body.classList.toggle("with-drawer", this.isOpen);
    (this.isOpen ? byId("drawer-close") : this.opener).focus();
    if (this.view) this.show(this.view);
  }

  /** Poll the timeline while the drawer is open. */
  async follow() {
    clearTimeout(this.timer);
    await this.readNewEntries().catch(() => undefined);
    clearTimeout(this.timer);
    if (this.isOpen) this.timer = setTimeout(() => this.follow(), PAUSE_MS);
  }

  async readNewEntries() {
    const { entries, position } = await ask(`${this.path}?after=${this.position}`);
    const newEntries = entries.filter((/** @type {Entry} */ entry) => entry.seq > this.position);
    this.position = Math.max(this.position, position ?? 0);
    this.rows.append(...newEntries.map(entryRow));
  }

  /** @param {View} view */
  show(view) {
    this.view = view;
    if (!this.isOpen) return;
    patch(this.payload, [element("summary", {}, PAYLOAD_HEADING), json(view)]);
    this.follow();
  }
}

/**
 * @typedef {{seq: number, at: string, kind: string, name: string, method?: string, path?: string, url?: string,
 *   status?: number | null, duration_ms?: number, outcome?: string, error?: string | null}} Entry
 */

const HEAD = ["seq", "at", "merchant", "kind", "name", "purchase_id"];

/**
 * An entry of the journal: a summary line, and all members below it.
 *
 * @param {Entry} entry
 * @returns {HTMLElement}
 */
function entryRow(entry) {
  const details = Object.fromEntries(Object.entries(entry).filter(([name, value]) => !HEAD.includes(name) && value !== null));
  const line = element(
    "summary",
    {},
    element("time", { datetime: entry.at }, entry.at.slice(11, 23)),
    element("span", { class: `kind ${entry.kind}` }, entry.kind),
    element("span", { class: "summary-text" }, headline(entry)),
  );
  return element("li", {}, element("details", {}, line, json(details)));
}

/**
 * @param {Entry} entry
 * @returns {string}
 */
function headline({ name, method, path, url, status, outcome, error }) {
  const result = status ?? (error ? outcome ?? "failed" : "");
  const where = method ? `${method} ${path}` : url ?? "";
  return [name, where && `· ${where}`, result && `→ ${result}`].filter(Boolean).join(" ");
}

/**
 * A payload as formatted JSON.
 *
 * @param {unknown} payload
 * @returns {HTMLElement}
 */
function json(payload) {
  return element("pre", { tabindex: "0" }, JSON.stringify(payload, null, 2));
}
