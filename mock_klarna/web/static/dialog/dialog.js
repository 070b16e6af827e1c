import { Refusal } from "./api.js";
import { begun } from "./draft.js";
import { Drawer } from "./drawer.js";
import { byId, replaceContent } from "./elements.js";
import { ending } from "./endings.js";
import { Events } from "./events.js";
import { hasEnded, step } from "./flow.js";
import { Frame } from "./frame.js";
import { Host } from "./host.js";
import { identification } from "./identification.js";
import { safeUrl } from "./links.js";
import { review } from "./review.js";
import { Session } from "./session.js";
import { language, texts } from "./texts.js";

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./flow.js").Step} Step */
/** @typedef {import("./draft.js").Draft} Draft */

const PATIENCE_MS = 8000;

/** The dialog: shows the step that the session is at, and takes the shopper from one to the next. */
export class Dialog {
  /**
   * @param {string} session
   * @param {string} origin of the page around, "" where there is none
   */
  constructor(session, origin) {
    this.host = new Host(origin, session);
    this.drawer = new Drawer(session);
    this.frame = new Frame(() => this.close(), () => (this.drawer.isOpen ? this.drawer.toggle() : this.close()));
    this.session = new Session(session, (view) => (this.showing = this.show(view)), (busy) => this.frame.busy(busy));
    this.events = new Events(this.host);
    this.showing = Promise.resolve();
    this.editing = false;
    this.paying = false;
    /** @type {Step | ""} */
    this.shown = "";
  }

  /** Fetch the session and show it; from then on the page around is heard. */
  async begin() {
    await this.session.refresh();
    await this.showing;
    this.host.hear({ update: () => this.perform(() => this.session.refresh()), focus: () => this.frame.focus() });
    this.host.send("ready");
  }

  /** @param {View} view */
  async show(view) {
    const spoken = language(view.locale);
    this.say = await texts(spoken);
    if (this.session.view !== view) return;
    this.prefill(view);
    this.frame.speak(this.say, spoken, view);
    this.events.tell(view);
    this.drawer.show(view);
    this.render(view);
  }

  /**
   * Begin with whom the page names, as long as nobody has touched the form.
   *
   * @param {View} view
   */
  prefill(view) {
    if (this.draft && JSON.stringify(this.draft) !== this.untouched) return;
    this.draft = begun(view);
    this.untouched = JSON.stringify(this.draft);
  }

  /** @param {View} view */
  render(view) {
    const now = step(view, this.editing);
    replaceContent(byId("step"), this.content(now, view));
    this.frame.progress(now);
    if (now !== this.shown) this.enter(now, view);
  }

  /**
   * @param {Step} now
   * @param {View} view
   * @returns {HTMLElement}
   */
  content(now, view) {
    const desk = this.desk(view);
    if (now === "identification") return identification(desk);
    return now === "review" ? review(desk) : ending(now, desk);
  }

  /**
   * @param {View} view
   * @returns {import("./identification.js").Desk}
   */
  desk(view) {
    const { session } = this;
    return {
      say: /** @type {import("./texts.js").Say} */ (this.say),
      view,
      session,
      draft: /** @type {Draft} */ (this.draft),
      redraft: (draft) => this.redraft(draft, view),
      identified: () => this.turn(false),
      edit: () => this.turn(true),
      perform: (command) => this.perform(command),
      announce: (text) => this.frame.announce(text),
      pay: () => this.pay(),
      isHosted: this.host.isThere,
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
  turn(editing) {
    this.editing = editing;
    if (this.session.view) this.render(this.session.view);
  }

  /**
   * What happens once when a step is reached.
   *
   * @param {Step} now
   * @param {View} view
   */
  enter(now, view) {
    const isFirst = this.shown === "";
    this.shown = now;
    this.frame.arrive(isFirst);
    if (now === "waiting") this.wait();
    if (now === "placed") this.events.confirmed(view);
    const target = safeUrl(view.outcome?.redirect_url);
    if (now === "leaving" && target) this.leave(target);
  }

  /** Press the final button. */
  async pay() {
    if (this.paying) return;
    this.paying = true;
    await this.perform(() => this.session.pay(this.drawer.outcome));
    this.paying = false;
  }

  /** Wait for the merchant, with a word when it takes long. */
  wait() {
    const word = () => this.shown === "waiting" && (byId("patience").textContent = this.frame.say("waiting_long"));
    setTimeout(word, PATIENCE_MS);
    return this.perform(() => this.session.settle());
  }

  /**
   * Do something that the server may refuse: then show how the session stands, and say that it did not work.
   *
   * @param {() => Promise<unknown>} command
   */
  async perform(command) {
    this.frame.complain("");
    try {
      await command();
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure;
      await this.recover(failure);
    }
  }

  /** @param {Refusal} failure */
  async recover(failure) {
    const name = failure.status === 0 ? "unreachable" : failure.status === 404 ? "gone" : "not_possible";
    const view = name === "not_possible" ? await this.session.refresh().catch(() => null) : null;
    if (!view || !hasEnded(view)) this.frame.complain(name);
  }

  /** Leave the dialog; the session stays for the next click. */
  close() {
    const { view } = this.session;
    if (this.host.isThere) this.host.send("close", { state: view?.state ?? "" });
    else if (view?.state === "started") this.frame.putAside(() => this.turn(this.editing));
    else if (view && hasEnded(view)) location.reload();
  }

  /** @param {string} url */
  leave(url) {
    if (this.host.isThere) this.host.send("redirect", { url });
    else location.assign(url);
  }
}

