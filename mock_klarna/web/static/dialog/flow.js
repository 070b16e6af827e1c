/** @typedef {import("./types.js").View} View */
/** @typedef {"identification" | "review" | "waiting" | "placed" | "refused" | "denied" | "leaving" | "silent" | "expired" | "failed"} Step */

/** @type {Record<string, Step>} What each state of a purchase shows, where the state alone tells. */
const BY_STATE = { authorized: "waiting", declined: "refused", timed_out: "silent", expired: "expired", failed: "failed" };

/**
 * The step that a session is at.
 *
 * @param {View} view
 * @param {boolean} editing whether the shopper went back to their details
 * @returns {Step}
 */
export function step(view, editing) {
  if (view.state === "started") return view.identified && !editing ? "review" : "identification";
  if (view.state === "placed") return view.outcome?.fraud_status === "REJECTED" ? "refused" : "placed";
  if (view.state === "denied") return view.outcome?.redirect_url ? "leaving" : "denied";
  return BY_STATE[view.state] ?? "failed";
}

/**
 * Whether nothing can change any more: the merchant decided, or nobody will.
 *
 * @param {View} view
 * @returns {boolean}
 */
export function hasEnded(view) {
  return view.state !== "started" && view.state !== "authorized";
}

/** Deny codes that have a text of their own (klarna.md §3.14); every other one gets the general text. */
const TOLD = ["address_error", "item_out_of_stock", "consumer_underaged", "unsupported_shipping_address"];

/**
 * The text of a denial: the merchant's own words, or the name of ours (klarna.md C-10).
 *
 * @param {import("./types.js").Outcome | undefined} outcome
 * @returns {{own: string} | {named: string}}
 */
export function denial(outcome) {
  if (outcome?.deny_message) return { own: outcome.deny_message };
  const code = outcome?.deny_code ?? "";
  return { named: TOLD.includes(code) ? `denied_${code}` : "denied_generic" };
}
