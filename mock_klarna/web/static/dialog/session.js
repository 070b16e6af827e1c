import { ask, Refusal } from "./api.js";
import { hasEnded } from "./flow.js";

/** @typedef {import("./types.js").View} View */

const PATIENCE_SECONDS = 20;
const PAUSE_MS = 1000;

/** One shopper's session: its view as the server told it last, and a command for each thing that a shopper does. */
export class Session {
  /**
   * @param {string} id
   * @param {(view: View) => void} changed called with each new view
   * @param {(busy: boolean) => void} busy called when a command begins and when the last one has ended
   */
  constructor(id, changed, busy) {
    this.path = `sessions/${encodeURIComponent(id)}`;
    this.changed = changed;
    this.busy = busy;
    this.waiting = 0;
    /** @type {View | null} */
    this.view = null;
    /** @type {Promise<unknown>} */
    this.tail = Promise.resolve();
  }

  /** Ask for the view anew. */
  refresh() {
    return this.command("");
  }

  /** @param {unknown} who a test shopper's name, or addresses and customer */
  identify(who) {
    return this.command("/identify", who);
  }

  /**
   * @param {Record<string, string>} attributes
   * @param {number} quantity
   */
  specify(attributes, quantity) {
    return this.command("/specify", { product_attributes: attributes, quantity });
  }

  /** @param {string} id */
  chooseShipping(id) {
    return this.command("/shipping", { id });
  }

  /** @param {Record<string, boolean>} answers */
  answer(answers) {
    return this.command("/checkboxes", { answers });
  }

  /**
   * Press the final button; `outcome` is what the developer's drawer forces, "" leaves it to the e-mail address.
   *
   * @param {string} outcome
   */
  pay(outcome) {
    return this.command("/pay", outcome ? { outcome } : {});
  }

  /** Wait until the purchase has ended; a server that is away for a moment is asked again. */
  async settle() {
    while (this.view && !hasEnded(this.view)) await this.poll().catch((failure) => pauseAfter(failure));
  }

  async poll() {
    this.show(await ask(`${this.path}/wait?seconds=${PATIENCE_SECONDS}`));
  }

  /**
   * Commands go one after the other: an answer that is overtaken would show what is no longer so.
   *
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<View>}
   */
  command(path, body) {
    const answered = this.tail.then(() => this.perform(path, body));
    this.tail = answered.catch(() => undefined);
    return answered;
  }

  /**
   * @param {string} path
   * @param {unknown} body
   * @returns {Promise<View>}
   */
  async perform(path, body) {
    this.busy(++this.waiting > 0);
    try {
      return this.show(await ask(this.path + path, body));
    } finally {
      this.busy(--this.waiting > 0);
    }
  }

  /**
   * @param {View} view
   * @returns {View}
   */
  show(view) {
    this.view = carriedOn(this.view, view);
    this.changed(this.view);
    return this.view;
  }
}

/**
 * A purchase that ended without an order has forgotten what it was about; the dialog has not.
 *
 * @param {View | null} before
 * @param {View} view
 * @returns {View}
 */
function carriedOn(before, view) {
  const isForgotten = hasEnded(view) && !view.purchase_currency;
  return before && isForgotten ? { ...before, state: view.state, outcome: view.outcome } : view;
}

/** @param {unknown} failure */
async function pauseAfter(failure) {
  if (!(failure instanceof Refusal) || failure.status !== 0) throw failure;
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
