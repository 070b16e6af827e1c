/** The purchases that the page shows, kept current by the journal. */

import { currentView } from "./address.js";
import { call, withQuery } from "./api.js";
import { announce } from "./elements.js";
import { isFailure } from "./steps.js";
import { Stream } from "./stream.js";

/** @typedef {import("./elements.js").Json} Json */

/** @typedef {{exchange: Set<unknown>, callback: Set<unknown>}} Marks */

const FIRST_LIMIT = 100;
const WHOLE_LIMIT = 10000;
const MARKS_LIMIT = 1000;
const REFRESH_MS = 400;
const MOST_SINGLE = 10;

/** The state of a purchase after an event. */
const STATES = new Map([
  ["session_initiated", "started"],
  ["purchase_authorized", "authorized"],
  ["purchase_placed", "placed"],
  ["purchase_denied", "denied"],
  ["purchase_declined", "declined"],
  ["purchase_timed_out", "timed_out"],
  ["purchase_failed", "failed"],
  ["authorization_expired", "expired"],
]);

/**
 * Events: `list` when purchases changed, `entries` with the new entries of the journal, `live` when the connection changed.
 */
export class Store extends EventTarget {
  constructor() {
    super();
    /** @type {Map<string, Json>} */
    this.purchases = new Map();
    /** What went wrong in a purchase: positions of refused requests, ids of callbacks. @type {Map<string, Marks>} */
    this.marks = new Map();
    /** @type {Set<string>} */
    this.merchants = new Set();
    /** In which order purchases of the same second were seen. @type {Map<string, number>} */
    this.numbers = new Map();
    this.total = 0;
    this.inFlight = 0;
    this.isLive = false;
    this.isLoaded = false;
    this.loading = 0;
    /** @type {Set<string>} */
    this.unknown = new Set();
    /** @type {number|undefined} */
    this.timer = undefined;
    this.stream = new Stream(
      (entries) => this.take(entries),
      (isLive) => {
        this.isLive = isLive;
        this.dispatchEvent(new Event("live"));
      },
    );
  }

  /** @returns {Promise<void>} */
  async load() {
    const turn = ++this.loading;
    const { merchant } = currentView();
    // the position comes first: whatever happens after it is in the stream
    const newest = await call("GET", withQuery("/_mock/journal", { order: "newest", limit: 1 }));
    const first = await this.list(FIRST_LIMIT);
    if (turn !== this.loading) {
      return;
    }
    this.purchases.clear();
    this.marks.clear();
    this.unknown.clear();
    this.isLoaded = true;
    this.stream.follow(merchant, newest.position);
    this.show(first);
    const others = [this.loadMarks(merchant)];
    if (first.total > FIRST_LIMIT) {
      others.push(this.list(WHOLE_LIMIT).then((whole) => (turn === this.loading ? this.show(whole) : undefined)));
    }
    if (merchant) {
      others.push(call("GET", `/_mock/purchases?limit=${FIRST_LIMIT}`).then((all) => this.learn(all.purchases)));
    }
    await Promise.all(others);
    this.changed();
  }

  /**
   * Fetch the newest purchases that the URL asks for.
   * @param {number} limit
   */
  async list(limit) {
    const { merchant, state } = currentView();
    this.inFlight += 1;
    try {
      return await call("GET", withQuery("/_mock/purchases", { merchant, state, limit }));
    } finally {
      this.inFlight -= 1;
    }
  }

  /** @param {string} merchant */
  async loadMarks(merchant) {
    const query = { merchant, order: "newest", limit: MARKS_LIMIT };
    const lists = await Promise.all([
      call("GET", withQuery("/_mock/journal", { ...query, kind: "exchange", status: "4xx" })),
      call("GET", withQuery("/_mock/journal", { ...query, kind: "exchange", status: "5xx" })),
      call("GET", withQuery("/_mock/callbacks", { merchant, state: "failed", limit: MARKS_LIMIT })),
      call("GET", withQuery("/_mock/callbacks", { merchant, state: "waiting", limit: MARKS_LIMIT })),
    ]);
    lists.flatMap((list) => list.entries ?? []).forEach((entry) => this.mark(entry));
    lists.flatMap((list) => list.callbacks ?? []).forEach((sent) => this.mark({ ...sent, kind: "callback" }));
  }

  /**
   * Mark the purchase of a failure; a callback that a later attempt delivers is not marked any more.
   * @param {Json} failure
   * @param {boolean} [isFailed]
   */
  mark(failure, isFailed = true) {
    const marks = this.marks.get(failure.purchase_id) ?? { exchange: new Set(), callback: new Set() };
    const [marked, id] = failure.kind === "callback" ? [marks.callback, failure.callback_id] : [marks.exchange, failure.seq];
    if (isFailed) {
      marked.add(id);
    } else {
      marked.delete(id);
    }
    this.marks.set(failure.purchase_id, marks);
  }

  /** @param {Json} list */
  show(list) {
    this.total = list.total;
    for (const purchase of [...list.purchases].reverse()) {
      this.purchases.set(purchase.purchase_id, purchase);
      this.numbers.set(purchase.purchase_id, this.numbers.get(purchase.purchase_id) ?? this.numbers.size);
    }
    this.learn(list.purchases);
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
        this.mark(entry, isFailure(entry));
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
    if (entry.purchase_id && !known) {
      this.want(entry.purchase_id);
    }
    if (known && state) {
      known.state = state;
      known.order_amount = entry.order_amount ?? known.order_amount;
      known.order_id = entry.order_id ?? known.order_id;
      const wanted = currentView().state;
      if (wanted && wanted !== state) {
        this.purchases.delete(entry.purchase_id);
        this.total -= 1;
      } else if (!known.order || this.inFlight) {
        this.want(entry.purchase_id); // what is being fetched may be older than this entry
      }
    }
  }

  /** @param {string} id */
  want(id) {
    this.unknown.add(id);
    this.timer ??= setTimeout(() => this.fetchUnknown(), REFRESH_MS);
  }

  /** Fetch the purchases that are not known: one by one if they are few, else with the newest. */
  async fetchUnknown() {
    const ids = [...this.unknown];
    const turn = this.loading;
    this.unknown.clear();
    try {
      const isFew = ids.length <= MOST_SINGLE;
      const found = isFew ? await this.fetchEach(ids) : await this.list(Math.min(ids.length + FIRST_LIMIT, WHOLE_LIMIT));
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
    const added = purchases.filter((purchase) => !this.purchases.has(purchase?.purchase_id)).length;
    return { purchases, total: this.total + added };
  }

  /** @param {Json} purchase */
  numberOf(purchase) {
    return this.numbers.get(purchase.purchase_id) ?? 0;
  }

  /**
   * The purchases to show, newest first.
   * @returns {Json[]}
   */
  rows() {
    const search = currentView().search.trim().toLowerCase();
    const rows = [...this.purchases.values()].sort((one, other) => {
      const isSame = one.created_at === other.created_at;
      return isSame ? this.numberOf(other) - this.numberOf(one) : one.created_at < other.created_at ? 1 : -1;
    });
    return search ? rows.filter((purchase) => searchable(purchase).includes(search)) : rows;
  }
}

/** @type {WeakMap<Json, string>} */
const texts = new WeakMap();

/** @param {Json} purchase */
function searchable(purchase) {
  let text = texts.get(purchase);
  if (text === undefined) {
    const { order, ...own } = purchase;
    const lines = (order?.order_lines ?? []).map((/** @type {Json} */ line) => line?.name);
    text = JSON.stringify([own, order?.billing_address, order?.merchant_reference1, lines]).toLowerCase();
    texts.set(purchase, text);
  }
  return text;
}
