/** @typedef {import("./types.js").View} View */

const SOURCE = "mock-klarna";

/** The shop's page that contains the frame of the dialog: messages to it and from it. Without a frame, nothing is sent. */
export class ParentPage {
  /**
   * @param {string} origin of the page, from the frame's URL
   * @param {string} session
   */
  constructor(origin, session) {
    this.window = window.parent === window ? null : window.parent;
    this.origin = allowedOrigin(origin);
    this.session = session;
  }

  /** Whether there is a page that can receive messages. */
  get isPresent() {
    return this.window !== null && this.origin !== "";
  }

  /**
   * @param {string} type
   * @param {Record<string, unknown>} [payload]
   */
  send(type, payload = {}) {
    const message = { source: SOURCE, type, session_id: this.session, ...payload };
    if (this.window && this.origin) this.window.postMessage(message, this.origin === "null" ? "*" : this.origin);
  }

  /**
   * Listen to messages of the page; messages from elsewhere are ignored.
   *
   * @param {Record<string, () => void>} handlers by type of message
   */
  listen(handlers) {
    window.addEventListener("message", ({ source, origin, data }) => {
      if (source !== this.window || origin !== this.origin || data?.source !== SOURCE) return;
      if (typeof data.type === "string" && Object.hasOwn(handlers, data.type)) handlers[data.type]?.();
    });
  }
}

/**
 * The origin if it is an HTTP origin or "null", the origin of a file; "" for anything else.
 *
 * @param {string} origin
 * @returns {string}
 */
function allowedOrigin(origin) {
  if (origin === "null") return origin;
  try {
    const parsed = new URL(origin);
    return parsed.origin === origin && parsed.protocol.startsWith("http") ? origin : "";
  } catch {
    return "";
  }
}

/** Sends the events of lib.js to the page, each once and in order (klarna.md §6.5). */
export class Events {
  /** @param {ParentPage} page */
  constructor(page) {
    this.page = page;
    /** @type {View | null} */
    this.last = null;
  }

  /**
   * Send an event for each change of the view. A dialog that is opened again does not repeat `session_initiated`.
   *
   * @param {View} view
   */
  sendChanges(view) {
    const { last } = this;
    this.last = view;
    if (!last) return this.sendInitiated(view);
    if (view.identified && identityOf(view) !== identityOf(last)) this.send("identification_updated", view);
    if (view.selected_shipping_option?.id !== last.selected_shipping_option?.id) this.send("shipping_updated", view);
  }

  /** @param {View} view */
  sendInitiated(view) {
    const name = `initiated:${view.session_id}`;
    if (readStored(name) === null) this.send("session_initiated", view);
    store(name, "");
  }

  /** @param {View} view */
  sendConfirmation(view) {
    this.send("confirmation_displayed", view);
  }

  /**
   * @param {string} name
   * @param {View} view
   */
  send(name, view) {
    const { country = view.purchase_country, postal_code } = view.billing_address ?? {};
    const option = view.selected_shipping_option;
    const chosen = option ? { customer_selected_shipping_option: { reference: option.id } } : {};
    this.page.send("event", { name, payload: { customer_country: country, customer_postal_code: postal_code, ...chosen } });
  }
}

/**
 * @param {View} view
 * @returns {string}
 */
function identityOf({ identified, billing_address, shipping_address }) {
  return JSON.stringify([identified, billing_address, shipping_address]);
}

/**
 * The value that this browser tab has stored under a name, or null. Some browsers store nothing for frames.
 *
 * @param {string} name
 * @returns {string | null}
 */
export function readStored(name) {
  try {
    return sessionStorage.getItem(`mock-klarna:${name}`);
  } catch {
    return null;
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
export function store(name, value) {
  try {
    sessionStorage.setItem(`mock-klarna:${name}`, value);
  } catch {
    // without storage, a reload starts a new session with an empty form
  }
}
