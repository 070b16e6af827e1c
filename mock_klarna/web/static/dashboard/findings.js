/** What the rules of `certify` find in the journal while it grows, in groups, with links to the entries that show it. */

import { changeView, currentView } from "./address.js";
import { call, withQuery } from "./api.js";
import { openDialog } from "./dialogs.js";
import { announce, betweenClicks, counted, element, find, words } from "./elements.js";
import { exchangeView } from "./exchange.js";
import { live } from "./live.js";

/** @typedef {import("./elements.js").Json} Json */

const SHORTEST_PAUSE_MS = 1000;
const PAUSE_PER_REQUEST = 30; // watching a long journal takes at most 3 % of the time of the server
const SHOWN_CASES = 3; // the others are closed, so that the next rule is not far away
const NAME = "findings";

/** The part of the page that shows the findings of the merchant of the URL. */
export class FindingsView {
  /** @param {(entry: Json) => Promise<boolean>} showStep shows an entry in its purchase, or returns false */
  constructor(showStep) {
    this.showStep = showStep;
    this.root = find("#findings-view");
    this.turn = 0;
    this.pause = SHORTEST_PAUSE_MS;
    this.isDue = false;
    this.shown = "";
    this.merchant = "";
    /** @type {Json|null} */
    this.found = null;
    /** @type {number|undefined} */
    this.timer = undefined;
    this.drawLater = betweenClicks(this.root, () => this.draw());
    document.addEventListener("visibilitychange", () => this.isDue && this.plan());
  }

  isVisible() {
    return currentView().view === NAME;
  }

  /** Show the findings if the URL asks for them. */
  async show() {
    document.body.classList.toggle("has-findings", this.isVisible());
    find("#findings").setAttribute("aria-pressed", String(this.isVisible()));
    const { merchant } = currentView();
    if (this.isVisible() && (this.merchant !== merchant || !this.root.firstChild)) {
      [this.merchant, this.found, this.shown] = [merchant, null, ""];
      this.root.replaceChildren(heading(() => this.leave(), element("p.reason", { role: "status" }, "The rules are applied to the journal…")));
    }
    if (this.isVisible()) {
      await this.fetch();
    }
  }

  /** Judge again soon, because the journal has new entries. */
  take() {
    this.isDue = true;
    this.plan();
  }

  plan() {
    if (this.isVisible() && !document.hidden) {
      this.timer ??= setTimeout(() => this.fetch(), this.pause);
    }
  }

  async fetch() {
    const turn = ++this.turn;
    const start = performance.now();
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isDue = false;
    this.root.setAttribute("aria-busy", "true");
    try {
      const found = await call("GET", withQuery("/_mock/findings", { merchant: currentView().merchant }));
      this.pause = Math.max(SHORTEST_PAUSE_MS, PAUSE_PER_REQUEST * (performance.now() - start));
      if (turn === this.turn) {
        this.found = found;
        this.drawLater();
      }
    } catch (error) {
      announce(String(error), true);
    }
    this.root.setAttribute("aria-busy", "false");
    if (this.isDue) {
      this.plan();
    }
  }

  draw() {
    const text = JSON.stringify(this.found);
    if (!this.found || text === this.shown) {
      return;
    }
    this.shown = text;
    const focused = document.activeElement?.id;
    const opened = [...this.root.querySelectorAll("details[open]")].map((each) => each.id);
    this.root.replaceChildren(this.head(this.found), ...this.groups(this.found));
    opened.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    if (focused && document.activeElement === document.body) {
      document.getElementById(focused)?.focus({ preventScroll: true });
    }
  }

  /** @param {Json} found */
  head(found) {
    const counts = found.summary;
    const texts = ["errors", "warnings", "hints", "passed", "inconclusive"].map((name) =>
      element(`span.badge.${name}`, {}, `${counts[name]} ${counts[name] === 1 ? name.replace(/s$/, "") : name}`),
    );
    const merchants = new Set(found.rules.map((/** @type {Json} */ result) => result.merchant)).size;
    const of = currentView().merchant || (merchants === 1 ? found.rules[0].merchant : `${merchants} merchants`);
    const about = element("p.reason", {}, `The rules of mock-klarna certify, for ${of}. A rule passes when it was seen to be obeyed.`);
    return heading(() => this.leave(), element("p.counts", { role: "status" }, ...texts), about);
  }

  leave() {
    changeView({ view: "" });
    void this.show();
    find("#findings").focus(); // the button that was pressed is hidden
  }

  /**
   * @param {Json} found
   * @returns {Node[]}
   */
  groups(found) {
    /** @type {Map<string, Json[]>} */
    const families = new Map();
    for (const result of found.rules) {
      families.set(result.family, [...(families.get(result.family) ?? []), result]);
    }
    const isSeveral = new Set(found.rules.map((/** @type {Json} */ result) => result.merchant)).size > 1;
    return [...families].map(([family, results]) => this.group(family, results, found.findings, isSeveral));
  }

  /**
   * @param {string} family
   * @param {Json[]} results
   * @param {Json[]} findings
   * @param {boolean} isSeveral whether there are several merchants
   */
  group(family, results, findings, isSeveral) {
    const cards = [];
    for (const result of results) {
      const cases = findings.filter((one) => one.rule === result.rule && one.merchant === result.merchant);
      if (cases.length) {
        cards.push(this.card(result, cases, isSeveral));
      }
    }
    const rest = ["passed", "inconclusive"].map((outcome) => {
      const of = results.filter((result) => result.outcome === outcome);
      return of.length ? quiet(family, outcome, of, isSeveral) : null;
    });
    return element("section.family", { "aria-label": family }, element("h3", {}, family), ...cards, ...rest);
  }

  /**
   * A rule that was broken, with its cases.
   * @param {Json} result
   * @param {Json[]} cases
   * @param {boolean} isSeveral
   */
  card(result, cases, isSeveral) {
    const { severity, remedy, source } = cases[0];
    const id = idOf(result);
    const shown = cases.map((each, at) => this.case(each, `${id}-${at}`));
    return element(
      `article.finding.is-${severity}`,
      { id, "aria-labelledby": `${id}-title` },
      element("h4", { id: `${id}-title` }, element(`span.badge.${severity}s`, {}, severity), ` ${result.rule} ${result.title}`),
      isSeveral ? element("p.merchant", {}, result.merchant) : null,
      ...shown.slice(0, SHOWN_CASES),
      shown.length > SHOWN_CASES
        ? others(id, shown.slice(SHOWN_CASES), result.broken - count(cases.slice(0, SHOWN_CASES)), result.broken - count(cases))
        : null,
      element("p", {}, remedy),
      element("p.merchant", {}, source),
    );
  }

  /**
   * @param {Json} finding
   * @param {string} id
   */
  case(finding, id) {
    const links = finding.evidence.map((/** @type {string} */ path, /** @type {number} */ at) =>
      element(
        "a.evidence",
        { href: path, id: `${id}-${at}`, click: (/** @type {MouseEvent} */ event) => this.openEvidence(event, path) },
        `Entry ${path.split("/").pop()}`,
      ),
    );
    return element(
      "div.case",
      {},
      element("p.seen", {}, element("b", {}, finding.cases > 1 ? `Seen ${finding.cases} times ` : "Seen "), finding.seen),
      element("p.right", {}, element("b", {}, "Expected "), finding.expected),
      element("p.links", {}, ...links),
    );
  }

  /**
   * Show a journal entry where it belongs: in its purchase, or alone.
   * @param {MouseEvent} event
   * @param {string} path
   */
  async openEvidence(event, path) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) {
      return;
    }
    event.preventDefault();
    try {
      const entry = await call("GET", path);
      if (!(entry.purchase_id && (await this.showStep(entry)))) {
        openDialog(`Entry ${entry.seq}: ${words(entry.name)}`, exchangeView(entry, null, live));
      }
    } catch (error) {
      announce(String(error), true);
    }
  }
}

/**
 * @param {() => void} leave
 * @param {...Node} parts
 */
function heading(leave, ...parts) {
  return element(
    "header.purchase-head",
    {},
    element("button.back", { type: "button", id: "leave-findings", click: leave }, "← Purchases"),
    element("h2", { id: "findings-title", tabindex: -1 }, "Findings"),
    ...parts,
  );
}

/**
 * The cases of a rule after the first ones, closed.
 * @param {string} id
 * @param {Node[]} cases
 * @param {number} number how many cases these are, with those that the answer does not have
 * @param {number} left how many cases the answer does not have
 */
function others(id, cases, number, left) {
  const summary = element("summary", {}, counted(number, "more case"));
  const last = left > 0 ? element("p.merchant", {}, `and ${left} more`) : null;
  return element("details.cases", { id: `${id}-more` }, summary, ...cases, last);
}

/** @param {Json[]} findings */
function count(findings) {
  return findings.reduce((sum, each) => sum + each.cases, 0);
}

/** @param {Json} result */
function idOf(result) {
  return `finding-${result.rule}-${encodeURIComponent(result.merchant)}`;
}

/**
 * The rules of a group that need no attention, closed.
 * @param {string} family
 * @param {string} outcome
 * @param {Json[]} results
 * @param {boolean} isSeveral
 */
function quiet(family, outcome, results, isSeveral) {
  const items = results.map((result) => {
    const name = `${result.rule} ${result.title}${isSeveral ? ` (${result.merchant})` : ""}`;
    return element("li", {}, name, result.reason ? element("span.sent", {}, `: ${result.reason}`) : null);
  });
  const summary = element("summary", {}, `${results.length} ${outcome}`);
  return element(`details.${outcome}`, { id: `${outcome}-${family.replaceAll(" ", "-")}` }, summary, element("ul", {}, ...items));
}
