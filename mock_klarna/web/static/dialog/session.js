/** @typedef {import("./types.js").Problem} Problem */
/** @typedef {import("./types.js").View} View */

/** An error response. `status` is 0 if the server could not be reached. */
export class RequestError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {Problem[]} problems
   * @param {string} where the member of the request or the state that is the reason
   */
  constructor(status, message, problems = [], where = "") {
    super(message);
    this.status = status;
    this.problems = problems;
    this.where = where;
  }
}

const SDK = new URL("../../sdk/", import.meta.url);

/**
 * Send a request: GET without a body, POST with one. Throws `RequestError`.
 *
 * @param {string} path below `/instantshopping/sdk/`, or from the root if it starts with a slash
 * @param {unknown} [body]
 * @param {RequestInit} [more] options of the request
 * @returns {Promise<any>}
 */
export async function ask(path, body, more = {}) {
  const answer = await send(path, body, more);
  if (answer.status === 204) return {};
  const content = await answer.json().catch(() => null); // the connection may end within the answer
  if (!answer.ok) throw new RequestError(answer.status, String(content?.detail ?? answer.status), content?.errors, content?.where);
  if (content === null) throw new RequestError(0, "unreachable");
  return content;
}

/**
 * @param {string} path
 * @param {unknown} body
 * @param {RequestInit} more
 * @returns {Promise<Response>}
 */
async function send(path, body, more) {
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  try {
    return await fetch(new URL(path, SDK), body === undefined ? more : { ...post, ...more });
  } catch {
    throw new RequestError(0, "unreachable");
  }
}

/** How long each request of the dialog takes at least, for tests of a slow network. */
export const network = { delayMs: 0 };

const WAIT_SECONDS = 20;
const PAUSE_MS = 1000;

/** A shopper's session: its latest view, and a command for each action of the shopper. */
export class Session {
  /**
   * @param {string} id
   * @param {(view: View) => void} changed called with each new view
   * @param {(busy: boolean) => void} busy called when a command starts and when the last one has ended
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
    /** @type {unknown} why the last command that failed has failed */
    this.failure = null;
    /** @type {Promise<View> | null} the fetch of the view that has not started yet */
    this.next = null;
  }

  /** Fetch the current view, once for all calls before the request is sent. */
  refresh() {
    this.next ??= this.command("", () => void (this.next = null));
    return this.next;
  }

  /** @param {unknown} shopper a test shopper's name, or addresses and customer */
  identify(shopper) {
    return this.command("/identify", shopper);
  }

  /**
   * Choose a variation and a quantity.
   *
   * @param {(view: View) => {product_attributes: Record<string, string>, group_identifier: string, quantity: number}} choose called
   *   with the view that the earlier commands result in
   */
  specify(choose) {
    return this.command("/specify", choose);
  }

  /**
   * Give other options of the page.
   *
   * @param {object} options
   */
  change(options) {
    return this.command("/update", { options });
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
   * Pay what the shopper has seen. The server refuses it if the session has another total or other goods by then. If a command
   * that is still running fails, for example a choice of the shopper, nothing is paid.
   *
   * @param {View} shown
   * @param {string} outcome the result of Klarna's risk check that the developer's drawer forces, "" if the e-mail address decides
   */
  pay(shown, outcome) {
    const amount = shown.totals.order_amount;
    const { failure } = this;
    const version = (/** @type {View} */ now) => (offerOf(now) === offerOf(shown) ? now : shown).version;
    return this.command("/pay", (/** @type {View} */ now) => {
      if (this.failure !== failure) throw this.failure;
      return { amount, version: version(now), ...(outcome && { outcome }) };
    });
  }

  /**
   * Keep the form for the next dialog, beside the earlier commands and before later ones, because it changes the version of the
   * session. The browser sends it even if the page goes away.
   *
   * @param {import("./draft.js").Draft} draft
   * @returns {Promise<unknown>}
   */
  keepDraft(draft) {
    const { tail } = this;
    const kept = ask(`${this.path}/draft`, draft, { keepalive: true }).then((view) => {
      const isNewer = this.view !== null && view.version > this.view.version;
      if (isNewer && view.state === "started") this.show(view); // the answer to a payment shows what comes after
    });
    this.tail = kept.catch(() => undefined).then(() => tail);
    return kept;
  }

  /** Wait until the purchase has ended; try again while the server cannot be reached or fails. */
  async waitForDecision() {
    while (this.view && !isFinal(this.view)) await this.poll().catch((error) => pauseIfUnreachable(error));
  }

  async poll() {
    this.show(await ask(`${this.path}/wait?seconds=${WAIT_SECONDS}`));
  }

  /**
   * Run a command after the earlier ones, so that the latest answer is shown last.
   *
   * @param {string} path
   * @param {unknown} [body] or a function that returns it, called with the view that the earlier commands result in
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
      if (network.delayMs) await new Promise((resolve) => setTimeout(resolve, network.delayMs));
      return this.show(await ask(this.path + path, typeof body === "function" ? body(this.view) : body));
    } catch (error) {
      this.failure = error;
      throw error;
    } finally {
      this.busy(--this.waiting > 0);
    }
  }

  /**
   * @param {View} view
   * @returns {View}
   */
  show(view) {
    this.view = withEarlierDetails(this.view, view);
    this.changed(this.view);
    return this.view;
  }
}

/**
 * What the shopper pays for, as text: goods, delivery, total and terms.
 *
 * @param {View} view
 * @returns {string}
 */
function offerOf(view) {
  const { order_lines, selected_shipping_option, totals, purchase_currency, terms_url, additional_checkboxes } = view;
  return JSON.stringify([order_lines, selected_shipping_option, totals, purchase_currency, terms_url, additional_checkboxes]);
}

/**
 * The view of a purchase that ended without an order lacks its details: take them from the view before.
 *
 * @param {View | null} before
 * @param {View} view
 * @returns {View}
 */
function withEarlierDetails(before, view) {
  const isReduced = isFinal(view) && !view.purchase_currency;
  return before && isReduced ? { ...before, state: view.state, outcome: view.outcome } : view;
}

/** @param {unknown} error */
async function pauseIfUnreachable(error) {
  if (!(error instanceof RequestError) || (error.status > 0 && error.status < 500)) throw error;
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

/** @typedef {"identification" | "review" | "waiting" | "placed" | "rejected" | "denied" | "redirecting" | "timed_out" | "expired" | "failed"} Step */

/** @type {Record<string, Step>} The step of each state that alone decides it. */
const BY_STATE = { authorized: "waiting", declined: "rejected", timed_out: "timed_out", expired: "expired", failed: "failed" };

/**
 * The current step of a session.
 *
 * @param {View} view
 * @param {boolean} editing whether the shopper went back to the form
 * @returns {Step}
 */
export function stepOf(view, editing) {
  if (view.state === "started") return view.identified && !editing ? "review" : "identification";
  if (view.state === "placed") return view.outcome?.fraud_status === "REJECTED" ? "rejected" : "placed";
  if (view.state === "denied") return view.outcome?.redirect_url ? "redirecting" : "denied";
  return BY_STATE[view.state] ?? "failed";
}

/**
 * Whether the purchase has ended and cannot change any more.
 *
 * @param {View} view
 * @returns {boolean}
 */
export function isFinal(view) {
  return view.state !== "started" && view.state !== "authorized";
}

