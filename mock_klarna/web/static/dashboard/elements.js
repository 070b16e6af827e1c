/** Elements and texts. Whatever a merchant sent becomes a text node or an attribute, never markup. */

/** @typedef {Record<string, any>} Json */

/**
 * Make an element. A function becomes a listener, true an empty attribute; false, null and undefined are left out.
 * @param {string} name a tag with classes, such as `button.primary`
 * @param {Json} [attributes]
 * @param {...(Node|string|null)} children
 * @returns {HTMLElement}
 */
export function element(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const made = document.createElement(tag);
  made.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      made.addEventListener(key, value);
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(key, value === true ? "" : String(value));
    }
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/**
 * Give an element these children; those that it has already keep their places, with focus and scroll position.
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} children
 */
export function arrange(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) {
    if (!wanted.has(/** @type {HTMLElement} */ (child))) {
      child.remove();
    }
  }
  for (const [at, child] of children.entries()) {
    if (parent.children[at] !== child) {
      parent.insertBefore(child, parent.children[at] ?? null);
    }
  }
}

/**
 * Find an element that the page has.
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function find(selector) {
  return /** @type {HTMLElement} */ (document.querySelector(selector));
}

const MAX_FORMATS = 50;
/** @type {Map<string|undefined, Intl.NumberFormat|null>} */
const formats = new Map();

/**
 * The format of a currency, or null if there is no such currency.
 * @param {string|undefined} currency
 */
function formatOf(currency) {
  let format = formats.get(currency);
  if (format === undefined) {
    try {
      format = new Intl.NumberFormat("en", { style: "currency", currency, currencyDisplay: "code" });
    } catch {
      format = null;
    }
    if (formats.size < MAX_FORMATS) {
      formats.set(currency, format); // to make one takes longer than everything else in a row
    }
  }
  return format;
}

/**
 * An amount in minor units as text; the currency may be any text that a merchant sent.
 * @param {number|null|undefined} amount
 * @param {string|undefined} currency
 */
export function money(amount, currency) {
  if (typeof amount !== "number") {
    return "–";
  }
  const format = formatOf(currency);
  return format ? format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2)) : String(amount);
}

/**
 * The time of day in UTC of a time of the API, with milliseconds where it has them.
 * @param {string} at
 */
export function timeOfDay(at) {
  return at.slice(11, 23).replace("Z", "");
}

/**
 * A number of milliseconds as a short text.
 * @param {number} length
 */
export function duration(length) {
  const units = [["d", 86400000], ["h", 3600000], ["min", 60000], ["s", 1000]];
  for (const [unit, size] of units) {
    if (length >= Number(size)) {
      return `${Math.round((length / Number(size)) * 10) / 10} ${unit}`;
    }
  }
  return `${Math.round(length)} ms`;
}

/**
 * A name such as `create_order` in words.
 * @param {string} name
 */
export function words(name) {
  return name.replaceAll("_", " ");
}

/**
 * A number of things in words, such as `2 purchases`.
 * @param {number} number
 * @param {string} thing
 */
export function counted(number, thing) {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

/**
 * What was sent, as far as a problem knows it, between two texts; "" for a member that is missing.
 * @param {Json} problem
 * @param {string} before
 * @param {string} after
 */
export function sentText({ value }, before, after) {
  const sent = value === undefined || value === null ? "" : JSON.stringify(value);
  return sent ? `${before}${sent.length > 200 ? `${sent.slice(0, 200)}…` : sent}${after}` : "";
}

/**
 * Say something in the status line, which screen readers read out.
 * @param {string} text
 * @param {boolean} [isError]
 */
export function announce(text, isError = false) {
  const line = find("#status");
  line.classList.toggle("error", isError);
  line.textContent = text;
}

/**
 * Return a function that draws, or draws later if a button is pressed inside: a browser makes no click of a press and a release
 * if the element was replaced between them.
 * @param {HTMLElement} root
 * @param {() => void} draw
 */
export function betweenClicks(root, draw) {
  let isPressed = false;
  let isDue = false;
  const release = () => {
    isPressed = false;
    if (isDue) {
      isDue = false;
      draw();
    }
  };
  root.addEventListener("pointerdown", () => {
    isPressed = true;
  });
  addEventListener("pointerup", () => setTimeout(release));
  addEventListener("pointercancel", release);
  addEventListener("contextmenu", release); // the menu gets the release
  return () => {
    isDue = isPressed;
    if (!isPressed) {
      draw();
    }
  };
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

/**
 * The state of a purchase or the status of an order, as a badge.
 * @param {string} state
 */
export function badge(state) {
  return element(`span.badge.${state.toLowerCase()}`, {}, words(state));
}
