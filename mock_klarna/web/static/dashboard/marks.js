/** What went wrong in each purchase: refused requests, and callbacks that the shop has not accepted yet. */

import { call, withQuery } from "./api.js";
import { isFailure } from "./steps.js";

/** @typedef {import("./elements.js").Json} Json */

const LIMIT = 1000;

/** Failures by the ids of purchases. */
export class Marks {
  constructor() {
    /** Positions of requests, and ids of callbacks. @type {Map<string, {exchange: Set<unknown>, callback: Set<unknown>}>} */
    this.failures = new Map();
    /** The callbacks that were delivered while failures are loaded: what comes then can be older. @type {Set<unknown>} */
    this.delivered = new Set();
    this.inFlight = 0;
  }

  /**
   * Take the newest failures, if they are still wanted when they come.
   * @param {string} merchant
   * @param {() => boolean} isWanted
   */
  async load(merchant, isWanted) {
    this.inFlight += 1;
    const query = { merchant, order: "newest", limit: LIMIT, detail: "summary", kind: "exchange" };
    const lists = await Promise.all([
      call("GET", withQuery("/_mock/journal", { ...query, status: "4xx" })),
      call("GET", withQuery("/_mock/journal", { ...query, status: "5xx" })),
      call("GET", withQuery("/_mock/callbacks", { merchant, state: "failed", limit: LIMIT })),
      call("GET", withQuery("/_mock/callbacks", { merchant, state: "waiting", limit: LIMIT })),
    ]).finally(() => {
      this.inFlight -= 1;
    });
    if (isWanted()) {
      lists.flatMap((list) => list.entries ?? []).forEach((entry) => this.add(entry));
      const sent = lists.flatMap((list) => list.callbacks ?? []).filter((each) => !this.delivered.has(each.callback_id));
      sent.forEach((each) => this.add({ ...each, kind: "callback" }));
    }
    if (!this.inFlight) {
      this.delivered.clear();
    }
  }

  /**
   * Take an entry of the journal: a callback that a later attempt delivers is no failure any more.
   * @param {Json} entry
   */
  take(entry) {
    if (isFailure(entry)) {
      this.add(entry);
    } else if (entry.kind === "callback") {
      this.failures.get(entry.purchase_id)?.callback.delete(entry.callback_id);
      if (this.inFlight) {
        this.delivered.add(entry.callback_id);
      }
    }
  }

  /** @param {Json} failure */
  add(failure) {
    const failures = this.failures.get(failure.purchase_id) ?? { exchange: new Set(), callback: new Set() };
    if (failure.kind === "callback") {
      failures.callback.add(failure.callback_id);
    } else {
      failures.exchange.add(failure.seq);
    }
    this.failures.set(failure.purchase_id, failures);
  }

  /**
   * How many requests were refused and how many callbacks failed.
   * @param {string} id
   * @returns {[number, number]}
   */
  counts(id) {
    const failures = this.failures.get(id);
    return [failures?.exchange.size ?? 0, failures?.callback.size ?? 0];
  }

  clear() {
    this.failures.clear();
  }

  /** @param {string} id */
  delete(id) {
    this.failures.delete(id);
  }
}
