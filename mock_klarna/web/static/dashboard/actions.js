/** The actions of the bar at the top: buy, faults, scenarios, links and reset. */

import { currentView, forMerchant } from "./address.js";
import { call, withQuery } from "./api.js";
import { choice, field, formOf, openDialog, twoSteps } from "./dialogs.js";
import { announce, counted, element, find, words } from "./elements.js";

/** @typedef {import("./elements.js").Json} Json */

/** Faults that one click orders. @type {[string, Json][]} */
const FAULTS = [
  ["Next create_order request is answered 500", { on: "request", operation: "create_order", status: 500 }],
  ["Next place_order callback gets no answer: it is not sent", { on: "callback", operation: "place_order", drop: true }],
  ["Next place_order callback arrives twice", { on: "callback", operation: "place_order", twice: true }],
  ["Next push arrives twice", { on: "callback", operation: "push", twice: true }],
  ["Next push is garbage", { on: "callback", operation: "push", garbage: true }],
  ["Next create_order request: connection closed after it was executed", { on: "request", operation: "create_order", drop: true }],
  ["Next request of any kind takes 5 seconds", { on: "request", delay: 5 }],
  ["Next request of any kind is answered 429", { on: "request", status: 429 }],
];

/** @type {[string, string][]} */
const LINKS = [
  ["/_mock/openapi.json", "OpenAPI document"],
  ["/_mock/findings", "Findings: what the integration does wrong"],
  ["/_mock/journal", "Journal"],
  ["/_mock/health", "Health"],
];
/** @type {[string, string]} */
const AUTHORITY = ["/_mock/ca.pem", "Certificate authority (PEM), which clients of https have to trust"];
const MAX_MERCHANTS = 100;
const EFFECTS = ["delay", "status", "drop", "garbage", "twice", "out_of_order"];

/** @param {(purchase: string) => void} open shows a purchase */
export async function buy(open) {
  const [{ shoppers }, owners] = await Promise.all([call("GET", "/_mock/shoppers"), buyers()]);
  const carts = (document.body.dataset.carts ?? "").split(" ").filter(Boolean);
  const dialog = openDialog(
    "Buy as a shopper",
    formOf(
      "Buy",
      async ({ merchant, cart, shopper, outcome, button_key }) => {
        const given = Object.entries({ cart, shopper, outcome, button_key }).filter(([, value]) => value);
        const owner = currentView().merchant || (button_key ? "" : merchant); // a key says whose it is
        const bought = await call("POST", withQuery("/_mock/purchases", { merchant: owner }), { ...Object.fromEntries(given), wait: 0 });
        dialog.close();
        announce("The shopper bought; the shop is being called");
        open(bought.purchase_id);
      },
      field("Shopper", choice("shopper", [["", "one for the country"], ...shoppers.map((/** @type {Json} */ each) => shopperChoice(each))])),
      field("Cart", choice("cart", [["", "that of the button key"], ...carts.map((name) => pair(name))], "se-battery-pack")),
      field("Fraud check", choice("outcome", [["", "what the shopper's e-mail triggers"], ...["ACCEPTED", "PENDING", "REJECTED"].map(pair)])),
      ...ownerField(owners),
      field("Button key (the newest when empty)", element("input", { name: "button_key", autocomplete: "off" })),
    ),
  );
}

/** @param {string[]|null} owners */
function ownerField(owners) {
  if (!owners) {
    return [];
  }
  const hint = "No merchant has a button key yet; a shop creates one with POST /instantshopping/v1/buttons.";
  return [owners.length ? field("Merchant", choice("merchant", owners.map(pair))) : element("p", {}, hint)];
}

/**
 * The merchants of whom a shopper can buy, if none is chosen in the page, else null: those with a button key, the last active one first.
 * @returns {Promise<string[]|null>}
 */
async function buyers() {
  if (currentView().merchant) {
    return null;
  }
  const { merchants } = await call("GET", `/_mock/merchants?limit=${MAX_MERCHANTS}`);
  return merchants.filter((/** @type {Json} */ each) => each.buttons).map((/** @type {Json} */ each) => each.merchant);
}

/**
 * @param {string} name
 * @returns {[string, string]}
 */
function pair(name) {
  return [name, name];
}

/**
 * @param {Json} shopper
 * @returns {[string, string]}
 */
function shopperChoice({ name, description }) {
  return [name, `${name}: ${description}`];
}

/** @param {unknown} error */
function fail(error) {
  announce(String(error), true);
}

/** Show in the bar how many faults wait. */
export async function showFaults() {
  const { merchant } = currentView();
  const { faults } = await call("GET", forMerchant("/_mock/faults"));
  if (merchant === currentView().merchant) {
    find("#faults").textContent = faults.length ? `Faults (${faults.length})` : "Faults";
  }
  return faults;
}

export async function orderFaults() {
  const waiting = element("ul.plain", { "aria-label": "Faults that wait" });
  const show = async () => {
    const faults = await showFaults();
    const shown = faults.map((/** @type {Json} */ fault) => element("li", {}, element("code", {}, faultText(fault))));
    waiting.replaceChildren(...(shown.length ? shown : [element("li.none", {}, "none")]));
  };
  /** @param {Json} fault */
  const create = async (fault) => {
    await call("POST", forMerchant("/_mock/faults"), fault);
    announce("The fault waits for the next match");
    await show();
  };
  const presets = FAULTS.map(([text, fault]) =>
    element("li", {}, element("button", { type: "button", click: () => create(fault).catch(fail) }, text)),
  );
  await show();
  const clear = () => call("DELETE", forMerchant("/_mock/faults")).then(show).catch(fail);
  openDialog(
    "Faults",
    element("h3", {}, "Waiting"),
    waiting,
    element("div.buttons", {}, element("button", { type: "button", click: clear }, "Remove all")),
    element("h3", {}, "Order one"),
    element("ol.plain.presets", {}, ...presets),
  );
}

/** @param {Json} fault */
function faultText(fault) {
  const { on, operation, times } = fault;
  const effects = EFFECTS.filter((name) => fault[name]);
  const shown = effects.map((name) => (fault[name] === true ? name : `${name} ${fault[name]}`));
  return `${operation ?? `any ${on}`}: ${shown.map(words).join(", ")}${times > 1 ? ` (${times} times)` : ""}`;
}

/** @param {(merchant: string) => void} follow shows what happened to a merchant */
export async function runScenarios(follow) {
  const { scenarios } = await call("GET", "/_mock/scenarios");
  const names = scenarios.map((/** @type {Json} */ each) => [each.name, each.title ? `${each.name}: ${each.title}` : each.name]);
  const select = /** @type {HTMLSelectElement} */ (choice("name", names));
  const variables = element("div.variables");
  const showVariables = () => {
    const chosen = scenarios.find((/** @type {Json} */ each) => each.name === select.value);
    const missing = Object.entries(chosen?.vars ?? {}).filter(([, value]) => value === null);
    const inputs = missing.map(([name]) => {
      const placeholder = name === "shop" ? "http://localhost:3000" : "";
      return field(`Variable ${name}`, element("input", { name: `vars.${name}`, required: true, placeholder }));
    });
    variables.replaceChildren(...inputs);
  };
  select.addEventListener("change", showVariables);
  showVariables();
  const report = element("pre.body", { hidden: true, tabindex: 0, role: "group", "aria-label": "Report" });
  openDialog(
    "Run a scenario",
    formOf(
      "Run",
      async ({ name, ...given }) => {
        const vars = Object.fromEntries(Object.entries(given).map(([key, value]) => [key.replace("vars.", ""), value]));
        const result = await call("POST", `/_mock/scenarios/${encodeURIComponent(name)}/run`, { vars });
        report.hidden = false;
        report.textContent = [result.passed ? "passed" : JSON.stringify(result.failure, null, 2), ...(result.timeline ?? [])].join("\n");
        announce(`${name} ${result.passed ? "passed" : "failed"}`);
        follow(result.merchant ?? "");
      },
      field("Scenario", select),
      variables,
    ),
    report,
  );
}

/** @param {() => void} reload */
export async function showMore(reload) {
  const { merchant } = currentView();
  const { settings } = await call("GET", "/_mock/settings");
  const hasAuthority = settings.some((/** @type {Json} */ { name, value }) => name === "tls" && value);
  const links = (hasAuthority ? [...LINKS, AUTHORITY] : LINKS).map(([path, text]) => {
    const href = withQuery(path, { merchant });
    return element("li", {}, element("a", { href, target: "_blank", rel: "noopener" }, text));
  });
  const { opener, form } = await resetSteps(merchant, () => [dialog.close(), reload()]);
  const dialog = openDialog(
    "More",
    element("h3", {}, "Links"),
    element("ul.plain", {}, ...links),
    element("p", {}, "The documentation is in the folder docs of mock-klarna; http-api.md describes every endpoint."),
    ...(hasAuthority ? [] : [element("p.none", {}, "There is no certificate authority: the server runs without --tls.")]),
    element("h3", {}, "Reset"),
    element("div.buttons", {}, opener),
    form,
  );
}

/**
 * @param {string} merchant
 * @param {() => void} done
 */
async function resetSteps(merchant, done) {
  const { total } = await call("GET", withQuery("/_mock/purchases", { merchant, limit: 0 }));
  const purchases = counted(total, "purchase");
  const whose = merchant || "all merchants";
  const lost = `${purchases} of ${whose} and their orders are deleted, and so are button keys, faults, and the journal. Snapshots stay.`;
  return twoSteps("Reset…", element("p", {}, lost), total ? `Delete ${purchases}` : "Delete", async () => {
    await call("POST", withQuery("/_mock/reset", { merchant }), {});
    announce(`Everything of ${whose} was deleted`);
    done();
  });
}
