import { activateButton, byId, element } from "./elements.js";
import { entryRow, json } from "./exchange.js";
import { patch } from "./patch.js";
import { ask, RequestError } from "./session.js";
import { toolbar } from "./toolbar.js";

/** @typedef {import("./exchange.js").Entry} Entry */
/** @typedef {import("./types.js").View} View */

const PAUSE_MS = 1500;
/** Windows in which the drawer covers the dialog, as in the style sheet: then it is the main part of the page. */
const NARROW = matchMedia("(width < 1000px)");
const PAYLOAD_HEADING = "Session as it is now";

/** The developer's drawer, in English: the conditions of the test, the session, and what was sent and received. */
export class Drawer {
  /**
   * @param {string} session
   * @param {(options: object) => Promise<unknown>} change gives the session other options of the page
   * @param {(shopper: string) => Promise<unknown>} buy lets a test shopper buy
   */
  constructor(session, change, buy) {
    this.session = encodeURIComponent(session);
    this.change = change;
    this.buy = buy;
    this.position = 0;
    this.merchant = "";
    /** The forced result of the risk check, "" if the shopper's e-mail address decides. */
    this.outcome = "";
    this.behaviour = 0;
    this.time = "";
    this.place = byId("drawer");
    this.opener = activateButton("drawer-button", () => this.toggle());
    this.tools = element("section", { id: "conditions", "aria-label": "Conditions of the test" });
    this.status = element("p", { id: "drawer-status", role: "status" });
    this.rows = element("ol", { id: "timeline", "aria-label": "Timeline" });
    this.payload = element("details", { id: "session-payload" }, element("summary", {}, PAYLOAD_HEADING));
    /** @type {View | null} */
    this.view = null;
  }

  /** @returns {HTMLElement[]} */
  content() {
    const close = element("button", { id: "drawer-close", type: "button", class: "icon", "aria-label": "Close the developer's drawer", onclick: () => this.toggle() }, "×");
    return [
      element("div", { class: "drawer-head" }, element("h2", { id: "drawer-heading", "aria-level": NARROW.matches ? 1 : 2 }, "Developer"), close),
      this.tools,
      this.status,
      this.payload,
      element("h3", { "aria-level": NARROW.matches ? 2 : 3 }, "Timeline"),
      this.rows,
    ];
  }

  get isOpen() {
    return !this.place.hidden;
  }

  /** Open or close the drawer and move the focus. A closed drawer is empty. */
  toggle() {
    this.place.replaceChildren(...(this.isOpen ? [] : this.content()));
    this.place.hidden = this.isOpen;
    this.place.setAttribute("role", NARROW.matches ? "main" : "complementary");
    this.opener.setAttribute("aria-expanded", String(this.isOpen));
    document.body.classList.toggle("with-drawer", this.isOpen);
    (this.isOpen ? byId("drawer-close") : this.opener).focus();
    if (this.view) this.show(this.view);
    if (this.isOpen) this.perform(() => this.readClock());
  }

  /** Poll the timeline while the drawer is open and the server has the session. */
  async follow() {
    clearTimeout(this.timer);
    const failure = await this.readNewEntries().catch((error) => error);
    if (failure && !(failure instanceof RequestError)) throw failure;
    clearTimeout(this.timer);
    if (this.isOpen && failure?.status !== 404) this.timer = setTimeout(() => this.follow(), PAUSE_MS);
  }

  async readNewEntries() {
    const { entries, position } = await ask(`sessions/${this.session}/timeline?after=${this.position}`);
    const isPosted = entries.some((/** @type {Entry} */ entry) => entry.name === "create_order");
    if (isPosted && !this.authorized) this.authorized = await this.authorizedOrder();
    const newEntries = entries.filter((/** @type {Entry} */ entry) => entry.seq > this.position);
    this.position = Math.max(this.position, position ?? 0);
    for (const entry of newEntries) this.insert(entry);
  }

  /** The order that the merchant was asked to place; undefined if the page may not use the control API. */
  async authorizedOrder() {
    const purchase = await ask(`/_mock/purchases/${this.session}`).catch(() => null);
    return purchase?.order;
  }

  /**
   * Show an entry where it began: a callback is recorded when it has ended.
   *
   * @param {Entry} entry
   */
  insert(entry) {
    const row = entryRow(entry, this.authorized, (callback) => this.perform(() => this.resend(callback)));
    let next = null;
    let last = entry.kind === "callback" ? this.rows.lastElementChild : null;
    while (last instanceof HTMLElement && (last.dataset.at ?? "") > entry.at && last.dataset.name !== "clock_moved") {
      next = last;
      last = last.previousElementSibling;
    }
    this.rows.insertBefore(row, next);
  }

  /** @param {Entry} callback */
  async resend({ callback_id: id = "", name }) {
    await ask(`/_mock/callbacks/${encodeURIComponent(id)}/resend`, {});
    this.say(`${name} was sent again`);
    await this.follow();
  }

  async readClock() {
    this.merchant ||= (await ask(`/_mock/purchases/${this.session}`)).merchant;
    this.time = (await ask(this.withMerchant("/_mock/clock"))).now;
  }

  /** @param {string} path */
  withMerchant(path) {
    return `${path}?merchant=${encodeURIComponent(this.merchant)}`;
  }

  /**
   * Replace the merchant's faults.
   *
   * @param {number} behaviour
   * @param {object | null} fault
   */
  async inject(behaviour, fault) {
    this.behaviour = behaviour;
    await ask(this.withMerchant("/_mock/faults"), undefined, { method: "DELETE" });
    if (fault) await ask(this.withMerchant("/_mock/faults"), fault);
    this.say(fault ? "This will happen once, the next time." : "Nothing will go wrong on purpose.");
  }

  /** @param {string} duration */
  async advance(duration) {
    this.time = (await ask(this.withMerchant("/_mock/clock"), { advance: duration })).now;
  }

  /**
   * Do what the developer wants, and say why it is not possible.
   *
   * @param {() => Promise<unknown>} command
   */
  async perform(command) {
    this.say("");
    try {
      await command();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      const problems = error.problems.map(({ path, expected }) => `${path}: expected ${expected}`);
      this.say(problems.join("; ") || (error.status ? error.message : "The control API cannot be reached from this page."));
    }
    if (this.view) this.show(this.view);
  }

  /** @param {string} text */
  say(text) {
    this.status.textContent = text;
  }

  /** @param {View} view */
  show(view) {
    this.view = view;
    if (!this.isOpen) return;
    const conditions = {
      view,
      outcome: this.outcome,
      behaviour: this.behaviour,
      time: this.time,
      setOutcome: (/** @type {string} */ outcome) => (this.outcome = outcome),
      setBehaviour: (/** @type {number} */ at, /** @type {object | null} */ fault) => this.perform(() => this.inject(at, fault)),
      change: (/** @type {object} */ options) => this.perform(() => this.change(options)),
      advance: (/** @type {string} */ duration) => this.perform(() => this.advance(duration)),
      buy: (/** @type {string} */ shopper) => this.perform(() => this.buy(shopper)),
    };
    patch(this.tools, toolbar(conditions), true);
    patch(this.payload, [element("summary", {}, PAYLOAD_HEADING), json(view)]);
    this.follow();
  }
}
