import { draftOf } from "./draft.js";
import { Drawer } from "./drawer.js";
import { byId, replaceContent, safeUrl } from "./elements.js";
import { Frame } from "./frame.js";
import { identification } from "./identification.js";
import { outcome } from "./outcomes.js";
import { Events, ParentPage } from "./page.js";
import { review } from "./review.js";
import { isFinal, RequestError, Session, stepOf } from "./session.js";
import { language, texts } from "./texts.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./session.js").Step} Step */
/** @typedef {import("./types.js").View} View */

const SLOW_AFTER_MS = 8000;

/** The dialog: renders the current step of the session and executes what the shopper does. */
export class Dialog {
  /**
   * @param {string} session
   * @param {string} origin of the shop's page, "" if there is none
   */
  constructor(session, origin) {
    this.page = new ParentPage(origin, session);
    this.drawer = new Drawer(session);
    this.frame = new Frame(() => this.close(), () => (this.drawer.isOpen ? this.drawer.toggle() : this.close()));
    this.session = new Session(session, (view) => (this.showing = this.show(view)), (busy) => this.frame.busy(busy));
    this.events = new Events(this.page);
    this.showing = Promise.resolve();
    this.editing = false;
    this.paying = false;
    /** @type {Step | ""} */
    this.shown = "";
  }

  /** Fetch the session and show it; after that, listen to messages of the shop's page. */
  async start() {
    await this.session.refresh();
    await this.showing;
    this.page.listen({ update: () => this.perform(() => this.session.refresh()), focus: () => this.frame.focus() });
    this.page.send("ready");
  }

  /** @param {View} view */
  async show(view) {
    const code = language(view.locale);
    this.t = await texts(code);
    if (this.session.view !== view) return;
    this.prefill(view);
    this.frame.translate(this.t, code, view);
    this.events.sendChanges(view);
    this.drawer.show(view);
    this.render(view);
  }

  /**
   * Fill the form with the data of the page, unless the shopper has changed the form.
   *
   * @param {View} view
   */
  prefill(view) {
    if (this.draft && JSON.stringify(this.draft) !== this.prefilled) return;
    this.draft = draftOf(view);
    this.prefilled = JSON.stringify(this.draft);
  }

  /** @param {View} view */
  render(view) {
    const step = stepOf(view, this.editing);
    replaceContent(byId("step"), this.content(step, view));
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
      redraft: (draft) => this.redraft(draft, view),
      showReview: () => this.setEditing(false),
      edit: () => this.setEditing(true),
      perform: (command) => this.perform(command),
      announce: (text) => this.frame.announce(text),
      pay: () => this.pay(),
      isEmbedded: this.page.isPresent,
      close: () => this.close(),
      leave: (url) => this.leave(url),
    };
  }

  /**
   * @param {Draft} draft
   * @param {View} view
   */
  redraft(draft, view) {
    this.draft = draft;
    this.render(view);
  }

  /** @param {boolean} editing */
  setEditing(editing) {
    this.editing = editing;
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
    this.frame.startStep(isFirst);
    if (step === "waiting") this.wait();
    if (step === "placed") this.events.sendConfirmation(view);
    const target = safeUrl(view.outcome?.redirect_url);
    if (step === "redirecting" && target) this.leave(target);
  }

  /** Pay, once at a time. */
  async pay() {
    if (this.paying) return;
    this.paying = true;
    await this.perform(() => this.session.pay(this.drawer.outcome));
    this.paying = false;
  }

  /** Wait for the merchant's decision, and say so if it takes long. */
  wait() {
    const showDelay = () => this.shown === "waiting" && (byId("waiting-long").textContent = this.frame.t("waiting_long"));
    setTimeout(showDelay, SLOW_AFTER_MS);
    return this.perform(() => this.session.waitForDecision());
  }

  /**
   * Run a command. If the server refuses it, show the current session and an error message.
   *
   * @param {() => Promise<unknown>} command
   */
  async perform(command) {
    this.frame.showError("");
    try {
      await command();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      await this.recover(error);
    }
  }

  /** @param {RequestError} error */
  async recover(error) {
    const name = error.status === 0 ? "unreachable" : error.status === 404 ? "gone" : "not_possible";
    const view = name === "not_possible" ? await this.session.refresh().catch(() => null) : null;
    if (!view || !isFinal(view)) this.frame.showError(name);
  }

  /** Close the dialog; the session can be continued with the next click. */
  close() {
    const { view } = this.session;
    if (this.page.isPresent) this.page.send("close", { state: view?.state ?? "" });
    else if (view?.state === "started") this.frame.showPaused(() => this.setEditing(this.editing));
    else if (view && isFinal(view)) location.reload();
  }

  /** @param {string} url */
  leave(url) {
    if (this.page.isPresent) this.page.send("redirect", { url });
    else location.assign(url);
  }
}
