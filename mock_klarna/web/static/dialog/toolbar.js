import { countryName } from "./countries.js";
import { element } from "./elements.js";
import { network } from "./session.js";
import { language, LANGUAGES } from "./texts.js";

/** @typedef {import("./types.js").View} View */

const OUTCOMES = ["", "ACCEPTED", "PENDING", "REJECTED"];
const CALLBACK = { on: "callback", operation: "place_order" };
const ORDER = { on: "request", operation: "create_order" };

/** What happens to the next callback or the next order, as a fault (`POST /_mock/faults`). @type {[string, object | null][]} */
const BEHAVIOURS = [
  ["Its own", null],
  ["Gets the callback 10 s late", { ...CALLBACK, delay: 10 }],
  ["Never gets the callback", { ...CALLBACK, drop: true }],
  ["Gets the callback twice", { ...CALLBACK, twice: true }],
  ["Gets a garbled callback", { ...CALLBACK, garbage: true }],
  ["Answers the callback with 500", { ...CALLBACK, status: 500 }],
  ["Gets 503 when it places the order", { ...ORDER, status: 503 }],
  ["Places the order, but gets no answer", { ...ORDER, drop: true }],
];

/** @type {[string, number][]} */
const NETWORKS = [["Fast", 0], ["0.5 s for each request", 500], ["2 s for each request", 2000], ["5 s for each request", 5000]];
const STEPS = [["+1 min", "1m"], ["+1 h", "1h"], ["+1 d", "1d"], ["+30 d", "30d"]];

/**
 * The conditions of a test that the developer can change, and what is needed for that.
 *
 * @typedef {Object} Conditions
 * @property {View} view
 * @property {string} outcome the forced result of the risk check, "" if the e-mail address decides
 * @property {number} behaviour the chosen one of `BEHAVIOURS`
 * @property {string} time of the merchant's clock
 * @property {(outcome: string) => void} setOutcome
 * @property {(behaviour: number, fault: object | null) => void} setBehaviour
 * @property {(options: object) => void} change the options of the page
 * @property {(duration: string) => void} advance the clock
 * @property {(shopper: string) => void} buy
 */

/**
 * @param {Conditions} conditions
 * @returns {(HTMLElement | false)[]}
 */
export function toolbar(conditions) {
  const { view, outcome, behaviour, time, setOutcome, setBehaviour, change, advance, buy } = conditions;
  const isStarted = view.state === "started";
  const rules = view.countries.rules ?? {};
  const [shopper] = view.shoppers ?? [];
  const radios = OUTCOMES.map((name) => {
    const id = `outcome-${name.toLowerCase() || "shopper"}`;
    const radio = element("input", { type: "radio", name: "outcome", id, value: name, checked: name === outcome, onchange: () => setOutcome(name) });
    return element("label", { class: "segment", for: id }, radio, element("span", {}, name || "By e-mail"));
  });
  const behaviours = BEHAVIOURS.map(([text], at) => /** @type {[number, string]} */ ([at, text]));
  const languages = LANGUAGES.map((code) => /** @type {[string, string]} */ ([code, nameOf(code)]));
  const countries = Object.keys(rules).map((code) => /** @type {[string, string]} */ ([code, countryName(code, "en")]));
  const networks = NETWORKS.map(([text, delay]) => /** @type {[number, string]} */ ([delay, text]));
  return [
    shopper && element("button", { id: "buy-button", class: "buy", type: "button", "aria-disabled": !isStarted && "true", onclick: () => isStarted && buy(shopper.name) }, `Buy as ${shopper.name}`),
    element("fieldset", { class: "forced-outcome" }, element("legend", {}, "Klarna's risk check answers"), element("div", { class: "segments" }, radios)),
    element(
      "div",
      { class: "conditions" },
      choice("behaviour", "Behaviour of the shop", behaviours, behaviour, false, (at) => setBehaviour(Number(at), BEHAVIOURS[Number(at)]?.[1] ?? null)),
      choice("network", "Network of the dialog", networks, network.delayMs, false, (delay) => (network.delayMs = Number(delay))),
      choice("language", "Language", languages, language(view.locale), !isStarted, (code) => change({ locale: `${code}-${view.purchase_country}` })),
      choice("country", "Country", countries, view.purchase_country, !isStarted, (code) => change({ purchase_country: code, purchase_currency: rules[code]?.currency })),
    ),
    element(
      "div",
      { class: "clock", role: "group", "aria-label": "The merchant's clock" },
      element("span", {}, "Clock ", element("output", { id: "clock" }, time.slice(0, 19).replace("T", " "))),
      STEPS.map(([text, duration = ""]) => element("button", { type: "button", class: "tool", "data-key": duration, onclick: () => advance(duration) }, text)),
    ),
  ];
}

/**
 * @param {string} id
 * @param {string} label
 * @param {[string | number, string][]} choices value and text
 * @param {string | number} chosen
 * @param {boolean} disabled
 * @param {(value: string) => void} pick
 * @returns {HTMLElement}
 */
function choice(id, label, choices, chosen, disabled, pick) {
  const options = choices.map(([value, text]) => element("option", { value, selected: value === chosen }, text));
  const control = element("select", { id: `set-${id}`, disabled, onchange: ({ currentTarget }) => pick(currentTarget.value) }, options);
  return element("div", { class: "condition", "data-key": id }, element("label", { for: `set-${id}` }, label), control);
}

/**
 * @param {string} code
 * @returns {string}
 */
function nameOf(code) {
  return new Intl.DisplayNames(["en"], { type: "language" }).of(code) ?? code;
}
