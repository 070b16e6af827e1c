/** An entry of the journal as text to copy: a command for a shell, a step of a scenario, a line of a pytest test. */

/** @typedef {import("./elements.js").Json} Json */

/** The steps with which a scenario sends a request as the merchant; for others it expects the shop's request. @type {Record<string, string>} */
const STEPS = {
  create_button: "create_button",
  update_button: "update_button",
  get_authorization: "get_authorization",
  create_order: "place",
  deny_authorization: "deny",
  get_managed_order: "read_order",
  acknowledge_order: "acknowledge",
  capture_order: "capture",
  refund_order: "refund",
  cancel_order: "cancel",
  release_remaining_authorization: "release",
  extend_authorization_time: "extend",
  update_order_authorization: "update_authorization",
  update_merchant_references: "update_references",
};
const EUROPE = "api.playground.klarna.com";
/** The other hosts of Klarna's API; where regions are separate, the names of their merchants end with them. */
const OTHER_REGION = /(^|@)api(?!\.playground\.klarna)[\w.-]*\.(klarna\.com|kustom\.co)$/;
/** The parts of paths that are other in each test. @type {[RegExp, string][]} */
const IDS = [
  [/(\/authorizations\/)[^/?{}]+/, "authorization_token"],
  [/(\/orders\/)[^/?{}]+/, "order_id"],
];

/**
 * The request as a command for a shell. The journal has no passwords, so any stands in its place.
 * @param {Json} entry
 * @param {string} origin the address of the server
 */
export function curl(entry, origin) {
  const isCallback = entry.kind === "callback";
  const parts = ["curl", "-i"];
  const method = isCallback ? "POST" : entry.method;
  if (method !== "GET") {
    parts.push("-X", method);
  }
  parts.push(quoted(isCallback ? entry.url : origin + entry.path));
  if (!isCallback && entry.merchant && !isOfPage(entry)) {
    if (OTHER_REGION.test(new URL(origin).hostname) && !OTHER_REGION.test(entry.merchant)) {
      parts.push("-H", quoted(`Host: ${EUROPE}`)); // at the host of another region, this is the name of another merchant
    }
    parts.push("-u", quoted(`${entry.merchant}:PASSWORD`));
  }
  const body = entry.request_body;
  if (body !== null && body !== undefined) {
    parts.push("-H", quoted("Content-Type: application/json"));
    parts.push("--data-raw", quoted(typeof body === "string" ? body : JSON.stringify(body)));
  }
  return parts.join(" ");
}

/** @param {string} text */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Whether an entry is a call of the page or of the dialog.
 * @param {Json} entry
 */
export function isOfPage(entry) {
  return entry.name.startsWith("sdk_");
}

/**
 * A step of a scenario, in YAML: the request as the merchant sends it, or what is expected of the shop and of Klarna.
 * @param {Json} entry
 */
export function scenarioStep(entry) {
  if (entry.kind === "event") {
    return step("expect_event", { name: entry.name });
  }
  if (entry.kind === "callback") {
    return step("expect_callback", { kind: entry.name, status: entry.status ?? undefined });
  }
  const name = STEPS[entry.name];
  const isPossible = typeof entry.request_body === "object" && !JSON.stringify(entry.request_body).includes("${");
  if (!name || !isPossible) {
    return step("expect_request", { operation: entry.name, status: entry.status });
  }
  const body = entry.request_body ?? {};
  const lines = [step(name, name === "place" ? { body } : body)];
  if (entry.status >= 400) {
    lines.push(`  status: ${entry.status}`);
  }
  return lines.join("\n");
}

/**
 * JSON is YAML, but `${` begins a variable of the scenario.
 * @param {string} name
 * @param {Json} args
 */
function step(name, args) {
  return `- ${name}: ${JSON.stringify(args)}`;
}

/**
 * A line of a test with the fixture `mock_klarna`, in which `purchase` is a purchase.
 * @param {Json} entry
 */
export function pytestLine(entry) {
  if (entry.kind !== "exchange") {
    const status = entry.status ? `, status=${entry.status}` : "";
    const purchase = entry.purchase_id ? `, purchase_id=purchase["purchase_id"]` : "";
    return `mock_klarna.wait_for(${JSON.stringify(entry.name)}${purchase}${status})`;
  }
  const replaced = IDS.reduce((path, [pattern, name]) => path.replace(pattern, `$1{purchase['${name}']}`), entry.path);
  const path = (replaced === entry.path ? "" : "f") + JSON.stringify(replaced);
  const body = entry.request_body === null ? "" : `, ${python(entry.request_body)}`;
  return `assert mock_klarna.send(${JSON.stringify(entry.method)}, ${path}${body}).status == ${entry.status}`;
}

/**
 * A JSON value as Python writes it.
 * @param {unknown} value
 * @returns {string}
 */
function python(value) {
  if (Array.isArray(value)) {
    return `[${value.map(python).join(", ")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${python(member)}`);
    return `{${members.join(", ")}}`;
  }
  const words = new Map([[null, "None"], [true, "True"], [false, "False"]]);
  return words.get(/** @type {null|boolean} */ (value)) ?? JSON.stringify(value);
}
