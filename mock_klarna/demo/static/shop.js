// The shop's page: two buttons, selectors that keep the first one up to date, and what the page hears of a purchase.
const EVENTS = ["buy_button_clicked", "session_initiated", "identification_updated", "shipping_updated", "confirmation_displayed"];

/** @param {string} id */
function choice(id) {
  return /** @type {HTMLSelectElement} */ (document.getElementById(id));
}

function battery() {
  const colour = /** @type {"B" | "W" | "G"} */ (choice("product-color-selector").value);
  return batteryLine(colour, /** @type {"S" | "L"} */ (choice("product-size-selector").value));
}

/** The shop's answer is ordered by the address that Klarna calls. */
function merchantUrls() {
  const wish = choice("behaviour").value;
  const asked = wish === "redirect" ? `deny&deny_redirect_url=${encodeURIComponent(`${location.origin}/sorry`)}` : wish;
  return { terms: `${location.origin}/terms`, place_order: `${location.origin}/klarna/place-order?then=${asked}` };
}

/** @param {string} instance */
function options(instance) {
  return {
    setup: { instance_id: instance, key: document.body.dataset.key, environment: "playground", region: "eu" },
    purchase_country: "SE",
    purchase_currency: "SEK",
    locale: "en-SE",
    merchant_urls: merchantUrls(),
    shipping_options: SHIPPING,
  };
}

/** @param {unknown} said */
function hear(said) {
  const line = document.createElement("li");
  line.textContent = typeof said === "string" ? said : JSON.stringify(said);
  document.getElementById("events")?.append(line);
}

/** @param {string} instance */
function follow(instance) {
  for (const name of EVENTS) {
    window.Klarna.InstantShopping.on(name, (/** @type {object} */ payload) => hear(`${name} ${JSON.stringify(payload)}`), { setup: { instance_id: instance } });
  }
}

function show() {
  const { total_amount } = battery();
  const colour = choice("product-color-selector");
  const chosen = document.getElementById("chosen");
  const price = document.getElementById("price");
  if (chosen) chosen.textContent = `Battery Power Pack ${colour.selectedOptions[0]?.text}`;
  if (price) price.textContent = new Intl.NumberFormat("en-SE", { style: "currency", currency: "SEK" }).format(total_amount / 100);
  document.getElementById("pack")?.setAttribute("class", `pack ${colour.value}`);
}

function turned() {
  show();
  window.Klarna.InstantShopping.update({ setup: { instance_id: "battery" }, order_lines: [battery()] }, (/** @type {object} */ response) => hear({ update: response }));
}

function behave() {
  for (const instance of ["battery", "shirt"]) {
    window.Klarna.InstantShopping.update({ setup: { instance_id: instance }, merchant_urls: merchantUrls() });
  }
}

window.klarnaAsyncCallback = function () {
  window.Klarna.InstantShopping.load({ ...options("battery"), order_lines: [battery()], styling: { theme: { type: "buy" } } }, (/** @type {object} */ response) => hear({ load: response }));
  window.Klarna.InstantShopping.load({ ...options("shirt"), items: shirtItems(), styling: { theme: { type: "express", variation: "dark" } } });
  follow("battery");
  follow("shirt");
  show();
  choice("product-color-selector").addEventListener("change", turned);
  choice("product-size-selector").addEventListener("change", turned);
  choice("behaviour").addEventListener("change", behave);
};
