// The shop's page: two buttons, selectors that keep the first one up to date, and a list of the events that the page gets.
const EVENTS = ["buy_button_clicked", "session_initiated", "identification_updated", "shipping_updated", "confirmation_displayed"];

/** @param {string} id */
function choice(id) {
  return /** @type {HTMLSelectElement} */ (document.getElementById(id));
}

function battery() {
  const colour = /** @type {"B" | "W" | "G"} */ (choice("product-color-selector").value);
  return batteryLine(colour, /** @type {"S" | "L"} */ (choice("product-size-selector").value));
}

/** The shop's server does what `then` selects. The URL that Klarna calls is not in the page: it has a secret. */
function merchantData() {
  const selected = choice("behaviour").value;
  return `then=${selected === "redirect" ? `deny&deny_redirect_url=${encodeURIComponent(`${location.origin}/sorry`)}` : selected}`;
}

/** @param {string} instance */
function options(instance) {
  return {
    setup: { instance_id: instance, key: document.querySelector("main [data-key]")?.getAttribute("data-key"), environment: "playground", region: "eu" },
    purchase_country: "SE",
    purchase_currency: "SEK",
    locale: "en-SE",
    merchant_urls: { terms: `${location.origin}/terms` },
    merchant_data: merchantData(),
    shipping_options: SHIPPING,
  };
}

/** @param {unknown} event */
function addLine(event) {
  const line = document.createElement("li");
  line.textContent = typeof event === "string" ? event : JSON.stringify(event);
  document.getElementById("events")?.append(line);
}

/** @param {string} instance */
function listen(instance) {
  for (const name of EVENTS) {
    window.Klarna.InstantShopping.on(name, (/** @type {object} */ payload) => addLine(`${name} ${JSON.stringify(payload)}`), { setup: { instance_id: instance } });
  }
}

function show() {
  const { total_amount } = battery();
  const colour = choice("product-color-selector");
  const chosen = document.getElementById("chosen");
  const price = document.getElementById("price");
  if (chosen) chosen.textContent = `Battery Power Pack ${colour.selectedOptions[0]?.text}`;
  if (price) price.textContent = new Intl.NumberFormat("en-SE", { style: "currency", currency: "SEK" }).format(total_amount / 100);
  document.getElementById("pack")?.setAttribute("src", `/static/battery.svg#${colour.value}`);
}

function updateBattery() {
  show();
  window.Klarna.InstantShopping.update({ setup: { instance_id: "battery" }, order_lines: [battery()] }, (/** @type {object} */ response) => addLine({ update: response }));
}

function updateBehaviour() {
  for (const instance of ["battery", "shirt"]) {
    window.Klarna.InstantShopping.update({ setup: { instance_id: instance }, merchant_data: merchantData() });
  }
}

/**
 * Hide the place of a button that Klarna does not show, for example in a country that is not served.
 * @param {string} instance
 * @param {{ show_button: boolean }} response
 */
function placeButton(instance, response) {
  document.querySelector(`[data-instance-id=${instance}]`)?.toggleAttribute("hidden", !response.show_button);
  if (instance === "battery") addLine({ load: response });
}

/**
 * @param {string} instance
 * @param {object} sold
 */
function load(instance, sold) {
  window.Klarna.InstantShopping.load({ ...options(instance), ...sold }, (/** @type {{ show_button: boolean }} */ response) => placeButton(instance, response));
}

window.klarnaAsyncCallback = function () {
  load("battery", { order_lines: [battery()], styling: { theme: { type: "buy" } } });
  load("shirt", { items: shirtItems(), styling: { theme: { type: "express", variation: "dark" } } });
  listen("battery");
  listen("shirt");
  show();
  choice("product-color-selector").addEventListener("change", updateBattery);
  choice("product-size-selector").addEventListener("change", updateBattery);
  choice("behaviour").addEventListener("change", updateBehaviour);
};
