const SOURCE = "mock-klarna";

/** The page around the dialog's frame: messages to it, and from it. Without a frame there is none, and nothing is sent. */
export class Host {
  /**
   * @param {string} origin of the page, as the frame's URL tells it
   * @param {string} session
   */
  constructor(origin, session) {
    this.window = window.parent === window ? null : window.parent;
    this.origin = trusted(origin);
    this.session = session;
  }

  /** Whether there is a page around the dialog that can be spoken to. */
  get isThere() {
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
   * Hear the page, and nobody else.
   *
   * @param {Record<string, () => void>} handlers by type of message
   */
  hear(handlers) {
    window.addEventListener("message", ({ source, origin, data }) => {
      if (source !== this.window || origin !== this.origin || data?.source !== SOURCE) return;
      if (typeof data.type === "string" && Object.hasOwn(handlers, data.type)) handlers[data.type]?.();
    });
  }
}

/**
 * The origin when it is one of the web, or that of a page opened from a file; "" for anything else.
 *
 * @param {string} origin
 * @returns {string}
 */
function trusted(origin) {
  if (origin === "null") return origin;
  try {
    const parsed = new URL(origin);
    return parsed.origin === origin && parsed.protocol.startsWith("http") ? origin : "";
  } catch {
    return "";
  }
}
