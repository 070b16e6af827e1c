/** The list of purchases: only the rows that can be seen are elements. */

import { changeView, currentView } from "./address.js";
import { arrange, badge, betweenClicks, counted, element, find, money } from "./elements.js";
import { MAX_PURCHASES } from "./store.js";

/** @typedef {import("./rows.js").Row} Row */

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
    /** @type {Row[]} */
    this.rows = [];
    /** The elements of the rows that are shown, with what they show. @type {Map<string, {shown: string, made: HTMLElement}>} */
    this.made = new Map();
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
    const all = Math.max(this.store.total, this.store.purchases.size);
    const { search, state } = currentView();
    const bound = all > MAX_PURCHASES ? `, the newest ${MAX_PURCHASES} are ${search ? "searched" : "listed"}` : "";
    find("#count").textContent = `${search ? `${this.rows.length} of ` : ""}${counted(all, "purchase")}${bound}`;
    if (!this.isActiveShown && this.position() >= 0) {
      this.isActiveShown = true; // the purchase that the URL names
      this.activate(this.position());
    }
    find("#empty").hidden = this.rows.length > 0 || !this.store.isLoaded;
    find("#empty").textContent = search || state ? "No purchase matches." : "No purchase yet. Press Buy, or click the button of your shop.";
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
    const before = this.made;
    this.made = new Map();
    for (let at = first; at < last; at += 1) {
      const row = this.rows[at];
      const [isActive, isOpened] = [row.purchase_id === this.active, row.purchase_id === opened];
      const shown = JSON.stringify([row.state, row.order_amount, row.shopper, row.currency, row.created_at, this.store.marks.counts(row.purchase_id), isActive, isOpened]);
      const known = before.get(row.purchase_id);
      const drawn = known?.shown === shown ? known : { shown, made: this.row(row, isActive, isOpened) };
      place(drawn.made, at, this.rows.length);
      this.made.set(row.purchase_id, drawn);
    }
    arrange(this.space, [...this.made.values()].map(({ made }) => made));
    const active = this.position();
    const described = active >= first && active < last ? `row-${active}` : null;
    if (described === null) {
      this.list.removeAttribute("aria-activedescendant");
    } else if (this.list.getAttribute("aria-activedescendant") !== described) {
      this.list.setAttribute("aria-activedescendant", described); // each change is read out
    }
  }

  /**
   * @param {Row} purchase
   * @param {boolean} isActive
   * @param {boolean} isOpened
   */
  row(purchase, isActive, isOpened) {
    const id = purchase.purchase_id;
    return element(
      isActive ? "div.row.active" : "div.row",
      { role: "option", "aria-selected": String(isOpened), click: () => this.choose(id) },
      element("span.who", {}, purchase.shopper),
      element("span.amount", {}, money(purchase.order_amount, purchase.currency)),
      element("span.about", {}, badge(purchase.state), element("span.merchant", {}, purchase.merchant), ...marksOf(...this.store.marks.counts(id))),
      element("time.when", { datetime: purchase.created_at }, ...when(purchase.created_at)),
    );
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
    const at = this.position(); // before the list has the focus, which activates its first row
    this.list.focus({ preventScroll: true });
    this.activate(at < 0 ? 0 : at + step);
  }

  /**
   * Open the next purchase, or the one before.
   * @param {number} step
   */
  openNext(step) {
    const at = this.position();
    this.activate(at < 0 ? 0 : at + step);
    this.chooseActive();
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
 * Put a row at its position in the list.
 * @param {HTMLElement} row
 * @param {number} at
 * @param {number} count
 */
function place(row, at, count) {
  const position = `${at} ${count}`;
  if (row.dataset.position !== position) {
    row.dataset.position = position;
    row.id = `row-${at}`;
    row.style.top = `${at * ROW}px`;
    row.setAttribute("aria-posinset", String(at + 1));
    row.setAttribute("aria-setsize", String(count));
  }
}

/**
 * @param {number} refused
 * @param {number} callbacks
 */
function marksOf(refused, callbacks) {
  const made = [];
  if (refused) {
    made.push(element("span.mark", {}, `${refused} refused`));
  }
  if (callbacks) {
    made.push(element("span.mark", {}, counted(callbacks, "callback")));
  }
  return made;
}

/**
 * The time of today, else the date, with the time where there is room.
 * @param {string} at
 */
function when(at) {
  const today = new Date().toISOString().slice(0, 10);
  return at.startsWith(today) ? [at.slice(11, 19)] : [at.slice(0, 10), element("span.minutes", {}, ` ${at.slice(11, 16)}`)];
}
