/** The purchases that the page shows, kept current by the journal. */

import { currentView } from "./address.js";
import { call, withQuery } from "./api.js";
import { announce, words } from "./elements.js";
import { Marks } from "./marks.js";
import { followEvent, rowOf } from "./rows.js";
import { Stream } from "./stream.js";

/** @typedef {import("./elements.js").Json} Json */
/** @typedef {import("./rows.js").Row} Row */

const FIRST_LIMIT = 50;
const PAGE_LIMIT = 300;
/** How many purchases are listed and searched. */
export const MAX_PURCHASES = 10000;
const REFRESH_MS = 400;
const MAX_SINGLE = 3;
/** While more happens than the server sends, the newest purchases are read this often, and everything when it ends. */
const BEHIND_MS = 1000;

/** The state of a purchase after an event. */
const STATES = new Map([
  ["session_initiated", "started"],
  ["purchase_authorized", "authorized"],
  ["purchase_placed", "placed"],
  ["customer_token_created", "placed"],
  ["purchase_denied", "denied"],
  ["purchase_declined", "declined"],
  ["purchase_timed_out", "timed_out"],
  ["purchase_failed", "failed"],
  ["authorization_expired", "expired"],
]);

/**
 * Events: `list` when purchases changed, `entries` with the new entries of the journal, `skipped` if there were too many of
 * them, `live` when the connection changed, `outdated` when purchases may be gone: after a reset, or a new start of the server.
 */
export class Store extends EventTarget {
  constructor() {
    super();
    /** @type {Map<string, Row>} */
    this.purchases = new Map();
    /** All purchases, newest first; null if they have to be sorted again. @type {Row[]|null} */
    this.sorted = [];
    this.marks = new Marks();
    /** @type {Set<string>} */
    this.merchants = new Set();
    this.newest = 0;
    this.oldest = 0;
    this.total = 0;
    this.inFlight = 0;
    this.filters = "";
    this.isLive = false;
    this.isLoaded = false;
    this.isBehind = false;
    this.loading = 0;
    /** The position of the journal when there were fewer purchases than are listed. */
    this.lessAt = NaN;
    /** @type {Set<string>} */
    this.unknown = new Set();
    /** @type {number|undefined} */
    this.timer = undefined;
    /** @type {number|undefined} */
    this.rereading = undefined;
    this.stream = new Stream(
      (entries) => this.take(entries),
      () => this.fallBehind(),
      (isLive) => {
        this.isLive = isLive;
        this.dispatchEvent(new Event("live"));
      },
      () => this.dispatchEvent(new Event("outdated")),
    );
  }

  /** Load what the URL asks for; raises an error unless it was asked for again meanwhile. */
  async load() {
    const turn = ++this.loading;
    await this.loadAll(turn).catch((error) => {
      if (turn === this.loading) {
        throw error;
      }
    });
  }

  /** @param {number} turn */
  async loadAll(turn) {
    const { merchant } = currentView();
    this.filters = filters();
    this.removeOthers();
    // the position comes first: whatever happens after it is in the stream
    const position = takeFirstPosition() ?? (await newestPosition());
    const first = await this.list(FIRST_LIMIT);
    if (turn !== this.loading) {
      return;
    }
    this.purchases.clear();
    this.marks.clear();
    this.unknown.clear();
    this.merchants.clear();
    [this.sorted, this.newest, this.oldest, this.isLoaded] = [null, 0, 0, true];
    this.stream.follow(merchant, position);
    this.show(first);
    await Promise.all([this.marks.load(merchant, () => turn === this.loading), this.loadOlder(first, turn)]);
    this.changed();
  }

  /** Whether the purchases are those that the URL asks for. */
  isCurrent() {
    return this.filters === filters();
  }

  /** Remove what the filters do not ask for, so that nobody opens it while the list is loading. */
  removeOthers() {
    const { merchant, state } = currentView();
    const others = [...this.purchases.values()].filter((row) => (merchant && row.merchant !== merchant) || (state && row.state !== state));
    if (others.length) {
      others.forEach((row) => this.purchases.delete(row.purchase_id));
      [this.sorted, this.isLoaded] = [null, false];
      this.total -= others.length;
      this.changed();
    }
  }

  /**
   * Load the purchases that are older than those of a list, in pages: the browser reads one page at once.
   * @param {Json} list
   * @param {number} turn
   */
  async loadOlder(list, turn) {
    let page = list;
    let count = page.purchases.length;
    while (page.purchases.length && count < Math.min(list.total, MAX_PURCHASES)) {
      const limit = Math.min(PAGE_LIMIT, MAX_PURCHASES - count);
      page = await this.list(limit, page.purchases.at(-1).purchase_id);
      if (turn !== this.loading) {
        return;
      }
      count += page.purchases.length;
      this.show(page, true);
    }
  }

  /**
   * Fetch purchases that the URL asks for, the newest or those before a purchase.
   * @param {number} limit
   * @param {string} [before]
   */
  async list(limit, before) {
    const { merchant, state } = currentView();
    this.inFlight += 1;
    try {
      return await call("GET", withQuery("/_mock/purchases", { merchant, state, before, limit }));
    } finally {
      this.inFlight -= 1;
    }
  }

  /**
   * Take purchases, newest first, into the list.
   * @param {Json} list
   * @param {boolean} [isOlder] whether they are older than all others
   */
  show(list, isOlder = false) {
    this.total = list.total;
    const purchases = isOlder ? list.purchases : [...list.purchases].reverse();
    for (const purchase of purchases) {
      const known = this.purchases.get(purchase.purchase_id);
      const number = known?.number ?? (isOlder ? --this.oldest : ++this.newest);
      this.purchases.set(purchase.purchase_id, rowOf(purchase, number));
    }
    this.sorted = null;
    this.learn(purchases);
    this.changed();
  }

  /** @param {Json[]} purchases */
  learn(purchases) {
    purchases.forEach((purchase) => this.merchants.add(purchase.merchant));
  }

  changed() {
    this.dispatchEvent(new Event("list"));
  }

  /** @param {Json[]} entries */
  take(entries) {
    for (const entry of entries) {
      if (entry.merchant) {
        this.merchants.add(entry.merchant);
      }
      if (entry.purchase_id && entry.kind !== "event") {
        this.marks.take(entry);
      }
      this.follow(entry);
    }
    this.changed();
    this.dispatchEvent(new CustomEvent("entries", { detail: entries }));
  }

  /**
   * Take what an entry says about the state of a purchase; a purchase that is not known is fetched soon.
   * @param {Json} entry
   */
  follow(entry) {
    const known = this.purchases.get(entry.purchase_id);
    const state = STATES.get(entry.name);
    if (entry.name === "session_initiated") {
      this.marks.delete(entry.purchase_id); // after a reset with a seed, ids come again
    }
    if (entry.purchase_id && (!known || entry.name === "session_initiated")) {
      this.want(entry.purchase_id);
    }
    if (known && state) {
      followEvent(known, entry, state);
      const wanted = currentView().state;
      if (wanted && wanted !== state) {
        this.purchases.delete(entry.purchase_id);
        this.sorted = null;
        this.total -= 1;
      } else if (!known.isComplete || this.inFlight) {
        this.want(entry.purchase_id); // what is being fetched may be older than this entry
      }
    }
  }

  /** @param {string} id */
  want(id) {
    this.unknown.add(id);
    this.timer ??= setTimeout(() => this.fetchUnknown(), REFRESH_MS);
  }

  /** There are more entries than the server sends: read the newest purchases now, and all of them when no more are left out. */
  fallBehind() {
    this.isBehind = true;
    this.timer ??= setTimeout(() => this.fetchUnknown(), BEHIND_MS);
    clearTimeout(this.rereading);
    this.rereading = setTimeout(() => this.reread().catch((error) => announce(String(error), true)), 2 * BEHIND_MS);
    this.dispatchEvent(new Event("skipped"));
  }

  /** Find out whether purchases are gone; no entry of the journal says so. */
  async check() {
    const [turn, before, position] = [this.loading, this.total, this.stream.position];
    const { total } = await this.list(0);
    const isLess = total < Math.min(before, this.total);
    // those that left the state of the filter are fewer until their entries come, and so only the second time says that some are gone
    if (turn === this.loading && isLess && (!currentView().state || this.lessAt === position)) {
      this.dispatchEvent(new Event("outdated"));
    }
    this.lessAt = isLess ? position : NaN;
  }

  async reread() {
    const turn = this.loading;
    const first = await this.list(FIRST_LIMIT);
    if (turn === this.loading) {
      this.show(first);
      await Promise.all([this.marks.load(currentView().merchant, () => turn === this.loading), this.loadOlder(first, turn)]);
      this.changed();
    }
  }

  /** Fetch the purchases that are not known: one by one if they are few, else with the newest. */
  async fetchUnknown() {
    const ids = [...this.unknown];
    const [turn, isFew] = [this.loading, ids.length <= MAX_SINGLE && !this.isBehind];
    this.unknown.clear();
    this.isBehind = false;
    try {
      const found = isFew ? await this.fetchEach(ids) : await this.list(Math.min(ids.length + FIRST_LIMIT, MAX_PURCHASES));
      if (turn === this.loading) {
        this.show(found);
      }
    } catch (error) {
      announce(String(error), true);
    }
    this.timer = undefined;
    if (this.unknown.size) {
      this.timer = setTimeout(() => this.fetchUnknown(), REFRESH_MS);
    }
  }

  /** @param {string[]} ids */
  async fetchEach(ids) {
    const { merchant, state } = currentView();
    this.inFlight += 1;
    const found = await Promise.all(
      ids.map((id) => call("GET", withQuery(`/_mock/purchases/${encodeURIComponent(id)}`, { merchant })).catch(() => null)),
    );
    this.inFlight -= 1;
    const purchases = found.filter((purchase) => purchase && (!state || purchase.state === state));
    if (this.total > this.purchases.size) {
      return { purchases, total: (await this.list(0)).total }; // they may be among those that are not listed
    }
    const added = purchases.filter((purchase) => !this.purchases.has(purchase?.purchase_id)).length;
    return { purchases, total: this.total + added };
  }

  /**
   * The purchases to show, newest first.
   * @returns {Row[]}
   */
  rows() {
    this.sorted ??= this.newestFirst();
    const search = currentView().search.trim().toLowerCase();
    return search ? this.sorted.filter((row) => row.text.includes(search) || this.changingText(row).includes(search)) : this.sorted;
  }

  /** Sort the purchases, and forget those of which there are too many. */
  newestFirst() {
    const rows = [...this.purchases.values()].sort((one, other) => other.time - one.time || other.number - one.number);
    for (const { purchase_id } of rows.splice(MAX_PURCHASES)) {
      this.purchases.delete(purchase_id);
      this.marks.delete(purchase_id);
    }
    return rows;
  }

  /**
   * What a row says of its state and its failures, so that it is found.
   * @param {Row} row
   */
  changingText(row) {
    const [refused, callbacks] = this.marks.counts(row.purchase_id);
    return `${words(row.state)} ${refused ? "refused" : ""} ${callbacks ? "callback failed" : ""}`;
  }
}

/** What the URL asks the API for. */
function filters() {
  const { merchant, state } = currentView();
  return JSON.stringify([merchant, state]);
}

/** The position of the journal when the page was made, the first time; later undefined. */
function takeFirstPosition() {
  const { position } = document.body.dataset;
  delete document.body.dataset.position;
  return position === undefined ? undefined : Number(position);
}

async function newestPosition() {
  return (await call("GET", withQuery("/_mock/journal", { order: "newest", limit: 1, detail: "summary" }))).position;
}
