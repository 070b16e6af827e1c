/** The journal as it grows: summaries of its entries as server-sent events, collected for each frame of the screen. */

import { withQuery } from "./api.js";

/** @typedef {import("./elements.js").Json} Json */

const KINDS = ["exchange", "callback", "event"];
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10000;
/** Seconds for which the server collects entries: watching costs it the same at any rate of entries. */
const INTERVAL = 0.2;

/** A connection to `/_mock/events` that is made again when it ends. */
export class Stream {
  /**
   * @param {(entries: Json[]) => void} onEntries is called with at least one entry, at most once a frame
   * @param {() => void} onSkipped there were more entries than the server sends, or than its journal keeps
   * @param {(isLive: boolean) => void} onState
   * @param {() => void} onReturned the server is there again after the connection broke: it may be another one, with an empty journal
   */
  constructor(onEntries, onSkipped, onState, onReturned) {
    this.onEntries = onEntries;
    this.onSkipped = onSkipped;
    this.onState = onState;
    this.onReturned = onReturned;
    this.isBroken = false;
    this.pause = FIRST_PAUSE_MS;
    this.position = 0;
    this.merchant = "";
    /** @type {Json[]} */
    this.waiting = [];
    /** @type {EventSource|null} */
    this.source = null;
    /** @type {number|undefined} */
    this.timer = undefined;
    document.addEventListener("visibilitychange", () => document.hidden && this.deliver()); // the frame that it waits for does not come
  }

  /**
   * Follow a merchant, or all of them, from a position of the journal on.
   * @param {string} merchant
   * @param {number} position
   */
  follow(merchant, position) {
    this.merchant = merchant;
    this.position = position;
    this.waiting = [];
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    this.source?.close();
    const query = { merchant: this.merchant, after: this.position, interval: INTERVAL, detail: "summary" };
    const source = new EventSource(withQuery("/_mock/events", query));
    this.source = source;
    source.addEventListener("open", () => {
      this.pause = FIRST_PAUSE_MS;
      this.onState(true);
      if (this.isBroken) {
        this.isBroken = false;
        this.onReturned();
      }
    });
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => this.take(JSON.parse(event.data)));
    }
    source.addEventListener("skipped", (event) => {
      this.position = JSON.parse(event.data).position;
      this.onSkipped();
    });
    source.addEventListener("dropped", () => this.onSkipped());
    // the browser would connect again with the old position in the URL, which has precedence
    source.addEventListener("disconnected", () => this.reconnect());
    source.addEventListener("error", () => {
      this.isBroken = true;
      this.reconnect();
    });
  }

  reconnect() {
    this.source?.close();
    this.onState(false);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), this.pause);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
  }

  /** @param {Json} entry */
  take(entry) {
    this.position = Math.max(this.position, entry.seq);
    this.waiting.push(entry);
    if (this.waiting.length === 1) {
      // a hidden page has no frames
      const later = document.hidden ? setTimeout : requestAnimationFrame;
      later(() => this.deliver());
    }
  }

  deliver() {
    const entries = this.waiting;
    this.waiting = [];
    if (entries.length) {
      this.onEntries(entries);
    }
  }
}
