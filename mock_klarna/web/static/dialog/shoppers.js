import { ask } from "./api.js";
import { filledIn } from "./draft.js";
import { element } from "./elements.js";

/** @typedef {import("./identification.js").Desk} Desk */
/** @typedef {import("./types.js").Shopper} Shopper */

/**
 * Fills in the form as one of the country's named test shoppers would.
 *
 * @param {Desk} desk
 * @returns {HTMLElement | false}
 */
export function testShoppers(desk) {
  const { say, view, draft } = desk;
  const shoppers = view.shoppers ?? [];
  if (!shoppers.length) return false;
  const options = shoppers.map(({ name }) => element("option", { value: name, selected: name === draft.shopper }, name));
  const choice = element("select", { id: "test-shopper", "aria-describedby": "test-shopper-is" }, options);
  const about = element("p", { id: "test-shopper-is", class: "hint", "aria-live": "polite" });
  const describe = () => (about.textContent = shoppers.find(({ name }) => name === choice.value)?.description ?? "");
  choice.addEventListener("change", describe);
  describe();
  const fill = () => desk.perform(() => fillIn(choice.value, desk));
  const button = element("button", { id: "fill-button", class: "secondary", type: "button", onclick: fill }, say("fill_in"));
  const label = element("label", { for: "test-shopper" }, say("test_shopper"));
  return element("div", { class: "test-shopper" }, label, element("div", { class: "row" }, choice, button), about);
}

/**
 * @param {string} name
 * @param {Desk} desk
 */
async function fillIn(name, desk) {
  const { shoppers } = await ask(`/_mock/shoppers?country=${encodeURIComponent(desk.view.purchase_country)}`);
  const shopper = shoppers.find((/** @type {Shopper} */ one) => one.name === name);
  if (!shopper) return;
  desk.redraft(filledIn(shopper, desk.view.options ?? {}));
  desk.announce(desk.say("filled_in", { name }));
}
