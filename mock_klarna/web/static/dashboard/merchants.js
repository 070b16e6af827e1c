/** The merchants to choose from, with how many purchases each has. */

import { call } from "./api.js";
import { counted, element } from "./elements.js";

/** @typedef {import("./elements.js").Json} Json */

const MAX_MERCHANTS = 100;

/** The names that a list offers: those of the server, and those that were seen since. */
export class Merchants {
  /** @param {HTMLSelectElement} select */
  constructor(select) {
    this.select = select;
    /** Texts of the merchants that the server has, by name, the last active one first. @type {Map<string, string>} */
    this.texts = new Map();
  }

  /** Ask the server for those of its merchants to which something happened last. */
  async load() {
    const { merchants } = await call("GET", `/_mock/merchants?limit=${MAX_MERCHANTS}`);
    this.texts = new Map(merchants.map((/** @type {Json} */ each) => [each.merchant, described(each)]));
  }

  /**
   * Offer the merchants, and those that were seen since; `chosen` is shown.
   * @param {Iterable<string>} seen
   * @param {string} chosen
   */
  show(seen, chosen) {
    const names = [...new Set([...this.texts.keys(), ...seen, chosen].filter(Boolean))];
    // the chosen one without the number of its purchases: the closed list is short, and the page shows the number
    const wanted = names.map((name) => [name, name === chosen ? name : (this.texts.get(name) ?? name)]);
    const shown = [...this.select.options].slice(1).map(({ value, text }) => [value, text]);
    if (JSON.stringify(wanted) !== JSON.stringify(shown)) {
      const made = wanted.map(([value, text]) => element("option", { value }, text));
      this.select.replaceChildren(this.select.options[0], ...made);
    }
    this.select.value = chosen;
  }
}

/** @param {Json} merchant */
function described({ merchant, purchases, ahead_seconds }) {
  return `${merchant} (${counted(purchases, "purchase")}${Math.abs(ahead_seconds) >= 1 ? ", own clock" : ""})`;
}
