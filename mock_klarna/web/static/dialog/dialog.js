import { draftOf, sentErrors } from "./draft.js";
import { Drawer } from "./drawer.js";
import { byId, safeUrl } from "./elements.js";
import { Frame } from "./frame.js";
import { identification } from "./identification.js";
import { outcome } from "./outcomes.js";
import { Events, ParentPage, store } from "./page.js";
import { patch } from "./patch.js";
import { review } from "./review.js";
import { isFinal, RequestError, Session, stepOf } from "./session.js";
import { language, money, texts } from "./texts.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./session.js").Step} Step */
/** @typedef {import("./types.js").View} View */

const SLOW_AFTER_MS = 8000;
const KEEP_MS = 1000;

/** The dialog: renders the current step of the session and executes what the shopper does. */
export class Dialog {
  /**
   * @param {string} session
   * @param {string} origin of the shop's page, "" if there is none
   */
  constructor(session, origin) {
    this.page = new ParentPage(origin, session);
    this.drawer = new Drawer(session, (options) => this.session.change(options), (shopper) => this.buy(shopper));
    this.frame = new Frame(() => this.close(), () => (this.drawer.isOpen ? this.drawer.toggle() : this.close()), this.page.isPresent);
    this.session = new Session(session, (view) => (this.showing = this.show(view)), (busy) => this.frame.busy(busy));
    this.events = new Events(this.page);
    this.showing = Promise.resolve();
    this.kept = ""; // the draft that the server has
    /** Whether the page goes away: pictures that it shows then would be requests that its policy forbids. */
    this.isLeaving = false;
    window.addEventListener("pagehide", () => {
      this.isLeaving = true;
      this.keepDraft();
    });
    window.addEventListener("pageshow", () => (this.isLeaving = false)); // with the Back button
    this.editing = false;
    this.paying = false;
    this.isSlow = false;
    /** @type {import("./types.js").State | ""} the state in which the shopper has closed a page without a shop */
    this.paused = "";
    /** @type {Promise<void> | null} while the shop decides */
    this.decision = null;
    /** Whether controls get their rendered values back, because a command has failed. */
    this.reset = false;
    /** @type {import("./draft.js").FieldErrors} */
    this.errors = {};
    this.testShopper = "";
    /** @type {Step | ""} */
    this.shown = "";
  }

  /** Fetch the session and show it. The shop's page may change the session before it is shown. */
  async start() {
    const refresh = () => this.session.refresh().catch((error) => this.t && this.recover(error));
    this.page.listen({ update: refresh, focus: () => this.frame.takeFocus() });
    await this.session.refresh().catch((error) => {
      if (error.status === 404) this.sendState("gone");
      throw error;
    });
    await this.showing;
    this.page.send("ready");
  }

  /**
   * Tell the page the state of the purchase, which decides what its button does next.
   *
   * @param {string} state
   */
  sendState(state) {
    this.page.send("state", { state });
  }

  /** @param {View} view */
  async show(view) {
    const code = language(view.locale ?? document.documentElement.lang); // a purchase that Klarna refused has no locale
    const t = await texts(code).catch((error) => {
      if (!this.t) throw error;
      return null; // the language stays, what is sold does not
    });
    if (this.session.view !== view) return;
    this.t = t ?? this.t;
    this.prefill(view);
    this.frame.translate(/** @type {import("./texts.js").Translate} */ (this.t), t ? code : document.documentElement.lang, view);
    this.sendState(this.stateOf(view));
    this.events.sendChanges(view);
    this.drawer.show(view);
    this.render(view);
    if (view.state === "authorized" && !this.isLeaving) this.decision ??= this.wait();
  }

  /**
   * The state of the purchase; one that is being paid counts as authorized.
   *
   * @param {View} view
   */
  stateOf({ state }) {
    return this.paying && state === "started" ? "authorized" : state;
  }

  /**
   * Fill the form with the data of the page, unless the shopper has changed the form, in this dialog or in an earlier one.
   *
   * @param {View} view
   */
  prefill(view) {
    const takesOneAddress = view.state === "started" && !view.options?.allow_separate_shipping_address;
    if (this.draft && takesOneAddress) this.draft.separate = false;
    if (this.draft && JSON.stringify(this.draft) !== this.prefilled) return;
    const ofPage = draftOf(view);
    this.draft = (!this.draft && view.draft) || ofPage;
    this.prefilled = JSON.stringify(ofPage);
    this.kept = JSON.stringify(view.draft ?? ofPage);
  }

  /** @param {View} view */
  render(view) {
    if (this.isLeaving || this.paused === this.stateOf(view)) return;
    this.paused = "";
    const step = stepOf(view, this.editing);
    const content = this.content(step, view);
    if (step === this.shown) patch(byId("step"), [content], this.reset);
    else byId("step").replaceChildren(content);
    this.reset = false;
    this.frame.progress(step);
    if (step !== this.shown) this.enter(step, view);
  }

  /**
   * @param {Step} step
   * @param {View} view
   * @returns {HTMLElement}
   */
  content(step, view) {
    const context = this.context(view);
    if (step === "identification") return identification(context);
    return step === "review" ? review(context) : outcome(step, context);
  }

  /**
   * @param {View} view
   * @returns {import("./types.js").StepContext}
   */
  context(view) {
    const { session } = this;
    return {
      t: /** @type {import("./texts.js").Translate} */ (this.t),
      view,
      session,
      draft: /** @type {Draft} */ (this.draft),
      errors: this.errors,
      showErrors: (errors) => this.showErrors(errors),
      testShopper: this.testShopper,
      selectTestShopper: (testShopper) => this.set({ testShopper }),
      redraft: (draft) => this.set({ draft }),
      isSlow: this.isSlow,
      showReview: () => this.set({ editing: false }),
      edit: () => this.set({ editing: true }),
      perform: (command) => this.perform(command),
      announce: (text) => this.frame.announce(text),
      pay: () => this.pay(view),
      isEmbedded: this.page.isPresent,
      close: () => this.close(),
      leave: (url) => this.leave(url),
    };
  }

  /**
   * Change the state of the dialog and render it.
   *
   * @param {{draft?: Draft, errors?: import("./draft.js").FieldErrors, testShopper?: string, editing?: boolean, isSlow?: boolean, paused?: ""}} state
   */
  set(state) {
    Object.assign(this, state);
    if (this.session.view) this.render(this.session.view);
  }

  /**
   * Do what happens once when the dialog reaches a step.
   *
   * @param {Step} step
   * @param {View} view
   */
  enter(step, view) {
    const isFirst = this.shown === "";
    this.shown = step;
    if (isFinal(view)) store(`ended:${view.session_id}`, "");
    this.frame.startStep(isFirst);
    if (step === "placed") this.events.sendConfirmation(view);
    const target = safeUrl(view.outcome?.redirect_url);
    if (step === "redirecting" && target) this.leave(target);
  }

  /**
   * Pay, once at a time. If the dialog is closed before the answer comes, the next click returns to this purchase.
   *
   * @param {View} shown what the shopper has seen
   */
  async pay(shown) {
    if (this.paying) return;
    this.paying = true;
    this.sendState("authorized");
    await this.perform(() => this.session.pay(shown, this.drawer.outcome).finally(() => (this.paying = false)));
  }

  /**
   * Let a test shopper buy what the session offers.
   *
   * @param {string} shopper
   */
  async buy(shopper) {
    const view = await this.session.identify({ shopper });
    this.set({ editing: false });
    await this.pay(view);
  }

  /** Wait for the merchant's decision, and say so if it takes long. */
  wait() {
    setTimeout(() => this.set({ isSlow: true }), SLOW_AFTER_MS);
    return this.perform(() => this.session.waitForDecision());
  }

  /**
   * Run a command. If it fails, show the current session and an error message: a choice that the server does not have is not shown.
   *
   * @param {() => Promise<unknown>} command
   */
  async perform(command) {
    this.frame.showError("");
    try {
      await command();
    } catch (error) {
      this.reset = true;
      await this.recover(error);
    }
  }

  /**
   * Show the current session and why a command was not executed.
   *
   * @param {unknown} error
   */
  async recover(error) {
    if (!(error instanceof RequestError)) throw error;
    if (error.status === 0) {
      this.set({});
      return this.frame.showError("unreachable");
    }
    if (error.status === 404) {
      this.sendState("gone");
      return this.frame.showError("gone");
    }
    const view = await this.session.refresh().catch(() => null);
    await this.showing;
    if (view && isFinal(view)) return;
    const errors = sentErrors(error.problems, this.draft?.separate);
    if (view && Object.keys(errors).length) return this.showErrors(errors);
    const hasChanged = view && ["amount", "version"].includes(error.where);
    const amount = view ? money(view.totals.order_amount, view.purchase_currency, view.locale) : "";
    this.frame.showError(hasChanged ? "order_changed" : "not_possible", { amount });
  }

  /**
   * Show the form with the error of each field, and focus the first one.
   *
   * @param {import("./draft.js").FieldErrors} errors
   */
  showErrors(errors) {
    this.set({ editing: true, errors });
    const first = byId("step").querySelector('[aria-invalid="true"]');
    if (first instanceof HTMLElement) first.focus();
  }

  /**
   * Keep what was typed, unless it is ordered or kept already. A closing dialog waits a moment for that, and before it for the
   * answer to a payment: what is kept changes the version of the session, which the payment names.
   */
  async keepDraft() {
    const limit = new Promise((resolve) => setTimeout(resolve, KEEP_MS));
    if (this.paying) await Promise.race([this.session.tail, limit]);
    const text = JSON.stringify(this.draft);
    if (!this.draft || this.paying || text === this.kept || this.session.view?.state === "placed") return;
    this.kept = text;
    await Promise.race([this.session.keepDraft(this.draft).catch(() => (this.kept = "")), limit]);
  }

  /** Close the dialog; the session can be continued with the next click. */
  async close() {
    const { view } = this.session;
    await this.keepDraft();
    const now = this.session.view;
    if (this.page.isPresent) this.page.send("close");
    else if (view && isFinal(view)) location.reload();
    else if (now && !isFinal(now)) this.pause(now);
  }

  /**
   * Show that the purchase waits for the shopper, until the shopper goes on or its state changes: the shop may decide meanwhile.
   *
   * @param {View} view
   */
  pause(view) {
    this.paused = this.stateOf(view);
    this.shown = ""; // the step is entered again
    this.frame.showPaused(this.paused === "started" ? "paused_text" : "waiting_text", () => this.set({ paused: "" }));
  }

  /** @param {string} url */
  leave(url) {
    if (this.page.isPresent) this.page.send("redirect", { url });
    else location.assign(url);
  }
}
