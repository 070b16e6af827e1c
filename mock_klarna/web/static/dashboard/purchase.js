/** One purchase: what it is, why it went wrong, and its journal as lanes of page, Klarna and shop. */

import { curl } from "./copies.js";
import { announce, arrange, badge, betweenClicks, duration, element, find, money, shopper } from "./elements.js";
import { copyText, exchangeView, explanation } from "./exchange.js";
import { failureTitle, isFailure, stepButton } from "./steps.js";

/** @typedef {import("./elements.js").Json} Json */

/**
 * Where the purchase comes from: the API of the server, or the data in an exported file.
 * @typedef {object} Source
 * @property {string} origin the address of the server
 * @property {() => string} current the id of the purchase to show, or ""
 * @property {(id: string) => Promise<{purchase: Json, entries: Json[], left_out?: Json|null}>} load `left_out`: `count` of entries, `after` which seq, and the `reason`
 * @property {(purchase: Json) => HTMLElement[]} purchaseButtons what can be done with a purchase
 * @property {(entry: Json) => HTMLElement[]} entryButtons what can be done with an entry of the journal
 * @property {(entry: Json) => Promise<void>} [resend] sends a callback again
 */

const LONG_GAP_MS = 10000;
const REFRESH_MS = 100;
/** How many entries are shown at first. */
const MAX_LINES = 300;

/** The part of the page that shows a purchase. */
export class PurchaseView {
  /**
   * @param {Source} source
   * @param {(() => void)|null} close returns to the list of purchases, if there is one
   */
  constructor(source, close) {
    this.source = source;
    this.close = close;
    this.root = find("#purchase");
    /** @type {Json|null} */
    this.purchase = null;
    /** The id of the purchase that was shown last. */
    this.shown = "";
    /** @type {Json[]} */
    this.entries = [];
    /** @type {Json|null} */
    this.leftOut = null;
    /** @type {Set<number>} */
    this.opened = new Set();
    /** The lines of the lanes by `seq`, with whether they were open. @type {Map<number, {isOpen: boolean, line: HTMLElement}>} */
    this.lines = new Map();
    /** The longer times before them. @type {Map<number, HTMLElement>} */
    this.gaps = new Map();
    this.list = element("ol");
    this.section = element("section.lanes", { "aria-label": "What happened" });
    this.mostLines = MAX_LINES;
    this.turn = 0;
    this.isFetching = false;
    this.isDue = false;
    this.drawLater = betweenClicks(this.root, () => this.draw());
  }

  /** Show the current purchase, or that there is none. */
  async show() {
    const id = this.source.current();
    document.body.classList.toggle("has-purchase", Boolean(id));
    if (!id) {
      this.turn += 1; // what is being fetched is not shown any more
      this.purchase = null;
      this.entries = [];
      this.root.inert = false;
      this.root.replaceChildren(element("p.hint", {}, "Select a purchase to see what happened between page, Klarna and shop. Press ? for the keys."));
      return;
    }
    if (this.purchase?.purchase_id !== id) {
      this.opened.clear();
      this.forgetLines();
      this.entries = [];
      this.mostLines = MAX_LINES;
      this.root.inert = true; // until it is the right one, nothing is done with the one before
    }
    await this.fetch(id);
  }

  /** Make all lines anew: other entries can have the same `seq` after a new start of the server. */
  forgetLines() {
    this.lines.clear();
    this.gaps.clear();
  }

  /** @param {string} id */
  async fetch(id) {
    const turn = ++this.turn;
    try {
      const { purchase, entries, left_out } = await this.source.load(id);
      if (turn === this.turn) {
        const isOther = this.purchase?.purchase_id !== id;
        this.purchase = purchase;
        this.shown = id;
        this.entries = entries;
        this.leftOut = left_out ?? null;
        this.root.inert = false;
        this.drawLater();
        if (isOther) {
          this.root.scrollTop = 0;
        }
      }
    } catch (error) {
      if (turn === this.turn) {
        this.fail(id, error);
      }
    }
  }

  /**
   * Say why the purchase is not shown; after a request that failed, the one that is shown stays.
   * @param {string} id
   * @param {any} error
   */
  fail(id, error) {
    const isGone = error.status === 404;
    if (this.purchase?.purchase_id === id && !isGone) {
      announce(String(error), true);
      return;
    }
    const hasFocus = this.root.contains(document.activeElement);
    const name = this.shown === id ? "This purchase does not exist any more." : `There is no purchase ${id}.`;
    const why = "Purchases are deleted by a reset, by loading a snapshot, and when a server ends that keeps its state in memory.";
    this.purchase = null;
    this.entries = [];
    this.root.inert = false;
    this.root.replaceChildren(element("div.absent", {}, element("p.hint", { role: "alert" }, isGone ? `${name} ${why}` : String(error)), ...this.backButton()));
    if (hasFocus) {
      document.getElementById("back")?.focus();
    }
  }

  /**
   * Take new entries: those of this purchase are fetched again, in their order.
   * @param {Json[]} entries
   */
  take(entries) {
    const [id, merchant] = [this.source.current(), this.purchase?.merchant];
    if (entries.some((entry) => entry.purchase_id === id || (entry.name.startsWith("sdk_") && entry.merchant === merchant))) {
      this.refresh();
    }
  }

  /** Fetch the purchase again soon; while an answer is awaited, once more after it, so that it is shown. */
  refresh() {
    const id = this.source.current();
    this.isDue = Boolean(id);
    if (id && !this.isFetching) {
      this.isFetching = true;
      setTimeout(async () => {
        this.isDue = false;
        if (this.source.current() === id) {
          await this.fetch(id);
        }
        this.isFetching = false;
        if (this.isDue) {
          this.refresh();
        }
      }, REFRESH_MS);
    }
  }

  draw() {
    if (!this.purchase) {
      return;
    }
    const purchase = this.purchase;
    const focused = document.activeElement?.id;
    arrange(this.root, [this.head(purchase), ...this.failures(), this.lanes(purchase)]);
    for (const line of /** @type {NodeListOf<HTMLElement>} */ (this.root.querySelectorAll(".line.wrong:first-of-type, .line:not(.wrong) + .line.wrong"))) {
      const body = /** @type {HTMLElement} */ (line.parentElement);
      body.scrollTop ||= Math.max(0, line.offsetTop - 60);
    }
    if (focused && document.activeElement === document.body) {
      document.getElementById(focused)?.focus({ preventScroll: true });
    }
  }

  backButton() {
    return this.close ? [element("button.back", { type: "button", id: "back", click: this.close }, "← Purchases")] : [];
  }

  /** @param {Json} purchase */
  head(purchase) {
    const order = purchase.order ?? {};
    const facts = [
      ["Amount", money(purchase.order_amount, order.purchase_currency)],
      ["Merchant", purchase.merchant],
      ["Created", purchase.created_at.replace("T", " ")],
      ["Purchase", purchase.purchase_id],
      ["Order", purchase.order_id],
      ["Customer token", purchase.customer_token],
      ["Token", purchase.authorization_token],
      ["Fraud status", purchase.fraud_status],
      ["Denied", purchase.deny && Object.values(purchase.deny).filter(Boolean).join(": ")],
    ].filter(([, value]) => value);
    const list = facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, String(value))));
    return element(
      "header.purchase-head",
      {},
      ...this.backButton(),
      element("h2", { id: "purchase-title", tabindex: -1 }, shopper(purchase), " ", badge(purchase.state)),
      purchase.hint ? element("p.reason", {}, String(purchase.hint)) : null,
      element("dl.facts", {}, ...list),
      element("div.buttons", {}, ...this.source.purchaseButtons(purchase)),
    );
  }

  /** What went wrong, before everything else: the last failures with their explanations. */
  failures() {
    const failed = this.entries.filter(isFailure);
    if (!failed.length) {
      return [];
    }
    const last = failed[failed.length - 1];
    const more = failed.length > 1 ? ` (the last of ${failed.length} failures)` : "";
    const title = `${failureTitle(last)}${more}`;
    const show = element("button", { type: "button", id: "show-failure", click: () => this.reveal(last.seq) }, "Show the exchange");
    return [element("section.failure", { "aria-label": "What went wrong" }, element("h3", {}, title), ...explanation(last), show)];
  }

  /** @param {number} seq */
  has(seq) {
    return this.entries.some((entry) => entry.seq === seq);
  }

  /** @param {number} seq */
  reveal(seq) {
    this.opened.add(seq);
    if (!this.entries.slice(-this.mostLines).some((entry) => entry.seq === seq)) {
      this.mostLines = Infinity;
    }
    this.draw();
    const step = find(`#step-${seq}`);
    step.scrollIntoView({ block: "start" });
    step.focus({ preventScroll: true });
  }

  /** @param {Json} purchase */
  lanes(purchase) {
    const currency = purchase.order?.purchase_currency;
    const names = ["Page", "Klarna", "Shop"].map((name) => element("span", {}, name));
    const steps = [];
    const entries = this.entries.slice(-this.mostLines);
    const hidden = this.entries.length - entries.length;
    let before = NaN;
    for (const entry of entries) {
      const at = Date.parse(entry.at);
      if (Math.abs(at - before) >= LONG_GAP_MS) {
        const text = `${at < before ? "−" : "+"}${duration(Math.abs(at - before))}`;
        const known = this.gaps.get(entry.seq);
        const gap = known?.textContent === text ? known : element("li.gap", {}, element("span", {}, text));
        this.gaps.set(entry.seq, gap);
        steps.push(gap);
      }
      before = at;
      steps.push(this.line(entry, currency));
      if (this.leftOut?.after === entry.seq) {
        steps.push(element("li.gap", {}, element("span", {}, `${this.leftOut?.count} entries are left out here: ${this.leftOut?.reason}`)));
      }
    }
    const showAll = () => {
      this.mostLines = Infinity;
      this.draw();
      this.move(0); // the button has gone
    };
    const earlier = element("button", { type: "button", id: "earlier", click: showAll }, `Show earlier entries (${hidden})`);
    const clock = element("span", { title: "the clock of the merchant" }, "Clock, UTC");
    const head = element("div.lane-names", { "aria-hidden": "true" }, clock, ...names);
    arrange(this.list, steps);
    arrange(this.section, [head, ...(hidden ? [earlier] : []), this.list]);
    return this.section;
  }

  /**
   * The line of an entry; entries do not change, and so their lines are kept.
   * @param {Json} entry
   * @param {string|undefined} currency
   */
  line(entry, currency) {
    const isOpen = this.opened.has(entry.seq);
    const known = this.lines.get(entry.seq);
    if (known?.isOpen === isOpen) {
      return known.line;
    }
    const line = this.step(entry, currency);
    this.lines.set(entry.seq, { isOpen, line });
    return line;
  }

  /**
   * @param {Json} entry
   * @param {string|undefined} currency
   */
  step(entry, currency) {
    const isOpen = this.opened.has(entry.seq);
    const button = stepButton(entry, currency, isOpen, () => this.toggle(entry.seq));
    return element("li", {}, button, isOpen ? exchangeView(entry, this.purchase?.order ?? null, this.source) : null);
  }

  /** @param {number} seq */
  toggle(seq) {
    if (!this.opened.delete(seq)) {
      this.opened.add(seq);
    }
    this.draw();
  }

  /** The entry of the line that has the focus. */
  current() {
    const line = document.activeElement?.closest(".lanes li")?.querySelector("button.step");
    return this.entries.find((entry) => `step-${entry.seq}` === line?.id);
  }

  /** Copy the request of the line, else the last failure, else the last request, as a command. */
  copy() {
    const requests = this.entries.filter((entry) => entry.kind !== "event");
    const entry = this.current() ?? requests.filter(isFailure).at(-1) ?? requests.at(-1);
    if (entry && entry.kind !== "event") {
      void copyText(curl(entry, this.source.origin));
    }
  }

  /** Send the callback of the line again, else the newest one. */
  resend() {
    const callbacks = this.entries.filter((entry) => entry.kind === "callback");
    const current = this.current();
    const entry = current?.kind === "callback" ? current : callbacks.at(-1);
    if (entry) {
      void this.source.resend?.(entry);
    }
  }

  /**
   * Move the focus to another step of the lanes.
   * @param {number} by
   */
  move(by) {
    const steps = /** @type {HTMLElement[]} */ ([...this.root.querySelectorAll("button.step")]);
    const at = steps.findIndex((step) => step === document.activeElement);
    steps[Math.max(0, Math.min(steps.length - 1, at < 0 ? 0 : at + by))]?.focus();
  }
}
