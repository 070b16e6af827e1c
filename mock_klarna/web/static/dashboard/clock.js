/** The clock of the merchant: its time in the bar, moving it, and what waits for it. */

import { currentView, forMerchant } from "./address.js";
import { call } from "./api.js";
import { field, formOf, openDialog } from "./dialogs.js";
import { announce, duration, element, find, words } from "./elements.js";

/** @typedef {import("./elements.js").Json} Json */

const MAX_JOBS = 50;
/** Null stands for the real time. @type {[string, Json|null][]} */
const STEPS = [
  ["Next due job", { to: "next" }],
  ["+5 min", { advance: "5m" }],
  ["+1 h", { advance: "1h" }],
  ["+1 day", { advance: "1d" }],
  ["+60 days", { advance: "60d" }],
  ["Real time", null],
];
/** What the jobs do that send no callback. @type {Record<string, string>} */
const CHANGES = {
  time_out: "the shopper stops waiting",
  expire: "the token expires",
  end_review: "the fraud review ends",
  cancel_rejected: "the rejected order is cancelled",
  forget_answer: "an idempotency key is forgotten",
};

/** Show the time of the merchant's clock in the bar. */
export async function showClock() {
  const { merchant } = currentView();
  const clock = await call("GET", forMerchant("/_mock/clock"));
  if (merchant !== currentView().merchant) {
    return; // another answer is on its way
  }
  const isAhead = Math.abs(clock.ahead_seconds) >= 1;
  find("#clock").textContent = `${isAhead ? clock.now.slice(0, 16).replace("T", " ") : clock.now.slice(11, 16)} UTC`;
  find("#clock").title = `${merchant ? `The clock of ${merchant}` : "The real time; each merchant has a clock of its own"}. Key t`;
  find("#clock").classList.toggle("ahead", isAhead);
}

/** @param {(purchase: string) => void} open shows a purchase */
export async function moveClock(open) {
  const now = element("p");
  const due = element("div.due", { "aria-live": "polite" });
  const time = /** @type {HTMLInputElement} */ (element("input", { type: "datetime-local", name: "time", required: true, step: 1 }));
  /** @param {Json} clock */
  const show = async (clock) => {
    const { merchant } = currentView();
    time.value = clock.now.slice(0, 19);
    now.textContent = merchant ? `Now ${clock.now} for ${merchant}.` : `Moves the clocks of all merchants. The real time is ${clock.now}.`;
    const waiting = await call("GET", forMerchant("/_mock/jobs", { limit: MAX_JOBS }));
    due.replaceChildren(...dueView(waiting, (id) => [dialog.close(), open(id)]));
  };
  /** @param {Json|null} body */
  const move = async (body) => {
    const moved = await call("POST", forMerchant("/_mock/clock"), body ?? { set: (await call("GET", "/_mock/clock")).now });
    announce(moved.merchant ? `The clock shows ${moved.now}` : "The clocks of all merchants were moved");
    await Promise.all([show(moved), showClock()]);
  };
  const clock = await call("GET", forMerchant("/_mock/clock"));
  const steps = STEPS.map(([text, body]) => {
    const click = () => move(body).catch((error) => announce(String(error), true));
    return element("li", {}, element("button", { type: "button", click }, text));
  });
  const dialog = openDialog(
    "Move the clock",
    now,
    element("p", {}, "Everything that becomes due happens, in order: retries, the ends of reviews, expiries."),
    element("ol.buttons.presets", {}, ...steps),
    formOf(
      "Set",
      ({ time: set }) => move({ set: `${set.length === 16 ? `${set}:00` : set}Z` }),
      field("A time in UTC", time),
    ),
    element("h3", {}, "Due"),
    due,
  );
  await show(clock);
}

/**
 * @param {Json} waiting
 * @param {(purchase: string) => void} open
 */
function dueView({ jobs, total }, open) {
  if (!total) {
    return [element("p.none", {}, "Nothing waits for this clock.")];
  }
  const rows = jobs.map((/** @type {Json} */ job) => element("li", {}, element("time", { datetime: job.due_at }, whenDue(job)), " ", jobView(job, open)));
  const rest = total > jobs.length ? [element("p.none", {}, `and ${total - jobs.length} later ones`)] : [];
  return [element("ul.plain", {}, ...rows), ...rest];
}

/** @param {Json} job */
function whenDue({ due_at, due_in_seconds }) {
  const left = due_in_seconds > 0 ? `in ${duration(due_in_seconds * 1000)}` : "now";
  return `${due_at.slice(0, 19).replace("T", " ")} (${left})`;
}

/**
 * @param {Json} job
 * @param {(purchase: string) => void} open
 */
function jobView(job, open) {
  const what = job.callback ? `${words(job.kind)}, attempt ${job.attempt}` : CHANGES[job.kind] ?? words(job.kind);
  const text = currentView().merchant ? what : `${job.merchant}: ${what}`;
  if (!job.purchase_id) {
    return text;
  }
  return element("button.link", { type: "button", click: () => open(job.purchase_id), title: job.purchase_id }, text);
}
