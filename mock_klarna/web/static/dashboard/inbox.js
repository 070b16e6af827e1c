/** The list of purchases: only the rows that can be seen are elements. */

import { changeView, currentView } from "./address.js";
import { betweenClicks, element, find, money, words } from "./elements.js";

/** @typedef {import("./elements.js").Json} Json */

const ROW = 60;
const BEYOND = 8;

/** The list and the fields that filter it. `open` shows a purchase. */
export class Inbox {
  /**
   * @param {import("./store.js").Store} store
   * @param {(purchase: string) => void} open
   */
  constructor(store, open) {
    this.store = store;
    this.open = open;
    /** @type {Json[]} */
    this.rows = [];
    this.active = currentView().purchase_id;
    this.list = find("#list");
    this.space = find("#rows");
    this.isPlanned = false;
    this.isActiveShown = !this.active;
    this.drawLater = betweenClicks(this.space, () => this.draw());
    this.list.addEventListener("scroll", () => this.plan(), { passive: true });
    this.list.addEventListener("focus", () => this.activate(this.position() < 0 ? 0 : this.position()));
    new ResizeObserver(() => this.plan()).observe(this.list);
    store.addEventListener("list", () => this.refresh());
  }

  refresh() {
    this.rows = this.store.rows();
    const [shown, all] = [this.rows.length, Math.max(this.store.total, this.store.purchases.size)];
    find("#count").textContent = `${shown === all ? all : `${shown} of ${all}`} purchase${all === 1 ? "" : "s"}`;
    if (!this.isActiveShown && this.position() >= 0) {
      this.isActiveShown = true; // the purchase that the URL names
      this.activate(this.position());
    }
    find("#empty").hidden = this.rows.length > 0 || !this.store.isLoaded;
    this.plan();
  }

  plan() {
    if (!this.isPlanned) {
      this.isPlanned = true;
      requestAnimationFrame(() => {
        this.isPlanned = false;
        this.drawLater();
      });
    }
  }

  draw() {
    const first = Math.max(0, Math.floor(this.list.scrollTop / ROW) - BEYOND);
    const last = Math.min(this.rows.length, Math.ceil((this.list.scrollTop + this.list.clientHeight) / ROW) + BEYOND);
    const opened = currentView().purchase_id;
    this.space.style.height = `${this.rows.length * ROW}px`;
    const shown = [];
    for (let at = first; at < last; at += 1) {
      shown.push(this.row(this.rows[at], at, opened));
    }
    this.space.replaceChildren(...shown);
    const isShown = this.position() >= first && this.position() < last;
    this.list.toggleAttribute("aria-activedescendant", false);
    if (isShown) {
      this.list.setAttribute("aria-activedescendant", `row-${this.position()}`);
    }
  }

  /**
   * @param {Json} purchase
   * @param {number} at
   * @param {string} opened
   */
  row(purchase, at, opened) {
    const id = purchase.purchase_id;
    const marks = this.store.marks.get(id);
    const made = element(
      id === this.active ? "div.row.active" : "div.row",
      {
        id: `row-${at}`,
        role: "option",
        "aria-selected": String(id === opened),
        "aria-posinset": at + 1,
        "aria-setsize": this.rows.length,
        click: () => this.choose(id),
      },
      element("span.who", {}, shopper(purchase)),
      element("span.amount", {}, money(purchase.order_amount ?? purchase.order?.order_amount, purchase.order?.purchase_currency)),
      element("span.about", {}, badge(purchase.state), element("span.merchant", {}, purchase.merchant), ...marksOf(marks)),
      element("time.when", {}, when(purchase.created_at)),
    );
    made.style.top = `${at * ROW}px`;
    return made;
  }

  position() {
    return this.rows.findIndex((purchase) => purchase.purchase_id === this.active);
  }

  /** @param {number} at */
  activate(at) {
    const bounded = Math.max(0, Math.min(this.rows.length - 1, at));
    this.active = this.rows[bounded]?.purchase_id ?? "";
    const top = bounded * ROW;
    if (top < this.list.scrollTop) {
      this.list.scrollTop = top;
    } else if (top + ROW > this.list.scrollTop + this.list.clientHeight) {
      this.list.scrollTop = top + ROW - this.list.clientHeight;
    }
    this.plan();
  }

  /** @param {number} step */
  move(step) {
    this.list.focus({ preventScroll: true });
    const at = this.position();
    this.activate(at < 0 ? 0 : at + step);
  }

  chooseActive() {
    if (this.active) {
      this.choose(this.active);
    }
  }

  /** @param {string} id */
  choose(id) {
    this.active = id;
    changeView({ purchase_id: id });
    this.open(id);
    this.plan();
  }
}

/**
 * The state of a purchase or the status of an order, as a badge.
 * @param {string} state
 */
export function badge(state) {
  return element(`span.badge.${state.toLowerCase()}`, {}, words(state));
}

/**
 * The name of the shopper, as far as it is known.
 * @param {Json} purchase
 */
export function shopper(purchase) {
  const address = purchase.order?.billing_address ?? {};
  const name = [address.given_name, address.family_name].filter(Boolean).join(" ");
  return name || String(address.email ?? "Unknown shopper");
}

/** @param {import("./store.js").Marks|undefined} marks */
function marksOf(marks) {
  const made = [];
  if (marks?.exchange.size) {
    made.push(element("span.mark", {}, `${marks.exchange.size} refused`));
  }
  if (marks?.callback.size) {
    made.push(element("span.mark", {}, `${marks.callback.size} callback${marks.callback.size > 1 ? "s" : ""}`));
  }
  return made;
}

/** @param {string} at */
function when(at) {
  const today = new Date().toISOString().slice(0, 10);
  return at.startsWith(today) ? at.slice(11, 19) : at.slice(0, 16).replace("T", " ");
}
