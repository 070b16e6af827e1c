/* Klarna's browser library, emulated: finds its server by its own address, offers buttons, opens the dialog. */
(() => {
  "use strict";
  const MARK = "mock-klarna";
  const STYLE = `
:host { display: block; max-width: 26rem; font: 16px/1.4 system-ui, sans-serif; text-align: center }
button { width: 100%; min-height: 48px; padding: .6em 1em; border: 1px solid; border-radius: 10px; font: inherit;
  font-weight: 600; cursor: pointer; overflow-wrap: anywhere; color: #fff; background: #0b5c6b; border-color: #0b5c6b }
.dark { background: #16181d; border-color: #16181d }
.light { color: #16181d; background: #fff; border-color: #16181d }
button:hover { filter: brightness(1.15) }
.light:hover { filter: brightness(.95) }
button:focus-visible { outline: 3px solid #1f6feb; outline-offset: 2px }
p { margin: .35em 0 0; font-size: 12px; color: #3d434d; text-wrap: balance }
p.pale { color: #fff }
p:empty { display: none }`;
  const NO_OBJECT = "the options are no object that JSON can hold";
  const COVER = `position:fixed;inset:0;width:100%;height:100%;max-width:none;margin:0;border:0;
    z-index:2147483647;color-scheme:normal;background:rgba(11,14,20,.55)`;

  const scripts = [document.currentScript, ...document.scripts].map((script) => /** @type {any} */ (script)?.src || "");
  const home = scripts.find((address) => address.includes("/instantshopping/lib/"))?.split("/instantshopping/lib/")[0];
  window.Klarna = window.Klarna || {};
  if (!home || window.Klarna.InstantShopping) return;
  const origin = new URL(home).origin;

  /** @type {Map<string, Instance>} */
  const instances = new Map();
  /** @type {Listener[]} */
  let listeners = [];
  /** @type {Dialog | null} */
  let dialog = null;

  /** Calls what the page gave us; its faults are its own and stop nothing of ours. */
  function run(/** @type {any} */ given, /** @type {object} */ argument) {
    try {
      if (typeof given === "function") given(argument);
    } catch (fault) {
      setTimeout(() => {
        throw fault;
      });
    }
  }

  /** Returns which button options speak of, "" for none in particular. */
  const idOf = (/** @type {any} */ options) => String(options?.setup?.instance_id ?? "");

  /** Returns the button of an id, or the only one where a side names none. */
  function known(/** @type {string} */ id) {
    const only = instances.size === 1 && (id === "" || instances.has(""));
    return instances.get(id) || (only ? [...instances.values()][0] : undefined);
  }

  /** Returns the element that a button belongs in. */
  function containerOf(/** @type {string} */ id) {
    const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("klarna-instant-shopping")]);
    if (id) return all.find((element) => element.dataset.instanceId === id);
    return all.find((element) => !element.dataset.instanceId) || (all.length === 1 ? all[0] : undefined);
  }

  /** Asks the server; rejects when there is no answer. */
  async function ask(/** @type {string} */ path, /** @type {object} */ body) {
    const headers = { "Content-Type": "application/json" };
    const request = { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(`${home}/instantshopping/sdk/${path}`, request);
    return { status: answer.status, body: await answer.json() };
  }

  /** @returns {Offer} */
  function refused(/** @type {string} */ code, /** @type {string} */ message, /** @type {string[]} */ fields = []) {
    return { show_button: false, error: { code, message, invalid_fields: fields, problems: [] } };
  }

  /** @returns {Promise<Offer>} */
  async function judged(/** @type {object} */ wish) {
    try {
      const { status, body } = await ask("load", wish);
      return status === 200 ? body : refused("bad_value", body.detail);
    } catch (fault) {
      return refused("network_error", `no answer from ${home}: ${fault}`);
    }
  }

  /** Returns what the server is told: older pages put data-key and others on the element. */
  function wished(/** @type {string} */ id, /** @type {Options} */ options) {
    const { key, environment, region, instanceId } = containerOf(id)?.dataset ?? {};
    const setup = { key, environment, region, instance_id: instanceId, ...options.setup };
    return { options: { ...options, setup }, page_url: location.href };
  }

  /** Waits for an element that carries the key. */
  async function parsed(/** @type {string} */ id, /** @type {Options} */ options) {
    if (options.setup?.key || containerOf(id) || document.readyState !== "loading") return;
    await new Promise((done) => document.addEventListener("DOMContentLoaded", done));
  }

  /** Returns a copy that later changes by the page do not reach, or null. */
  function copied(/** @type {any} */ options) {
    try {
      const copy = JSON.parse(JSON.stringify(options ?? {}));
      return typeof copy === "object" && !Array.isArray(copy) ? copy : null;
    } catch {
      return null;
    }
  }

  function load(/** @type {any} */ given, /** @type {Callback=} */ callback) {
    const options = copied(given);
    if (!options) return run(callback, refused("bad_value", NO_OBJECT));
    const id = idOf(options);
    const instance = (id ? instances.get(id) : known(id)) || fresh(id);
    offer(instance, options, options, callback);
  }

  function update(/** @type {any} */ given, /** @type {Callback=} */ callback) {
    const changes = copied(given);
    const instance = changes && known(idOf(changes));
    if (instance) return offer(instance, merged(instance.options, changes), changes, callback);
    const message = `setup.instance_id: expected one of the loaded buttons: ${[...instances.keys()].join(", ")}`;
    run(callback, changes ? refused("not_loaded", message, ["setup.instance_id"]) : refused("bad_value", NO_OBJECT));
  }

  /** Returns the options with the members that change; some change member by member. */
  function merged(/** @type {Options} */ options, /** @type {Options} */ changes) {
    const whole = { ...options, ...changes };
    for (const name of ["setup", "merchant_urls", "options"]) {
      if (changes[name]) whole[name] = { ...options[name], ...changes[name] };
    }
    if (changes.styling) whole.styling = { theme: { ...options.styling?.theme, ...changes.styling.theme } };
    return whole;
  }

  /** @returns {Instance} */
  function fresh(/** @type {string} */ id) {
    const instance = { id, options: {}, look: null, drawn: new WeakMap(), session: "", queue: Promise.resolve() };
    instances.set(id, instance);
    return instance;
  }

  /** Has a button judged, draws it and tells the page, after everything that was asked for before.
   * @type {(instance: Instance, options: Options, changes: Options, callback: Callback) => void} */
  function offer(instance, options, changes, callback) {
    const same = JSON.stringify(options) === JSON.stringify(instance.options);
    if (!same && dialog?.instance !== instance) instance.session = "";
    instance.options = options;
    instance.queue = instance.queue.then(async () => {
      await parsed(instance.id, options);
      const { show_button, button, error } = await judged(wished(instance.id, options));
      instance.look = (show_button && button) || null;
      show(instance);
      if (show_button && !same) await changeOpen(instance, changes);
      run(callback, error ? { show_button, error } : { show_button });
    });
  }

  /** Draws a button or takes it away. The rest of a container stays: unclosed, it holds the rest of the page. */
  function show(/** @type {Instance} */ instance) {
    const container = containerOf(instance.id);
    if (!container) return;
    const drawn = instance.drawn.get(container) ?? created(instance);
    instance.drawn.set(container, drawn);
    if (!instance.look) return drawn.host.remove();
    draw(drawn, instance.look);
    if (drawn.host.parentElement !== container) container.prepend(drawn.host);
  }

  function draw(/** @type {Drawn} */ { host, button, note, alert }, /** @type {Look} */ look) {
    host.lang = look.language;
    button.textContent = look.label;
    button.className = look.theme;
    note.textContent = `${MARK} · ${look.note}`;
    note.className = alert.className = look.tagline === "light" ? "pale" : "";
    alert.textContent = "";
  }

  /** Makes a button that the page's styles do not reach and its security policy allows. @returns {Drawn} */
  function created(/** @type {Instance} */ instance) {
    const [host, button, note, alert] = ["div", "button", "p", "p"].map((tag) => document.createElement(tag));
    const drawn = { host, button, note, alert };
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    button.setAttribute("type", "button");
    button.setAttribute("aria-describedby", (note.id = "note"));
    alert.setAttribute("role", "alert");
    button.addEventListener("click", () => open(instance, drawn));
    const root = host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.append(button, note, alert);
    return drawn;
  }

  /** Opens the dialog. Its frame is there before the handlers of the click run: shops reach for it (klarna.md §6.6). */
  async function open(/** @type {Instance} */ instance, /** @type {Drawn} */ drawn) {
    if (dialog) return;
    drawn.alert.textContent = "";
    const root = document.documentElement;
    const frame = document.createElement("iframe");
    const opened = { instance, drawn, container: drawn.host.parentElement, frame, overflow: root.style.overflow };
    dialog = opened;
    frame.id = frame.name = "klarna-instant-shopping-fullscreen";
    frame.title = `${drawn.button.textContent} (${MARK})`;
    frame.style.cssText = COVER;
    root.style.overflow = "hidden";
    document.body.append(frame);
    emit(instance, "buy_button_clicked", {});
    const id = await begun(instance);
    if (dialog !== opened) return;
    instance.session = id;
    if (id) {
      frame.src = `${home}/instantshopping/dialog/${id}?parent=${location.origin}`;
    } else {
      close();
      drawn.alert.textContent = instance.look?.not_now ?? "";
    }
  }

  /** Returns the id of a session to show, that of the one before where it can go on, or "". */
  async function begun(/** @type {Instance} */ { id, options, session }) {
    try {
      const { body } = await ask("sessions", { ...wished(id, options), session_id: session });
      return String(body.session_id ?? "");
    } catch {
      return "";
    }
  }

  /** Takes the dialog away and gives the focus back. */
  function close() {
    if (!dialog) return;
    const { drawn, frame, overflow } = dialog;
    dialog = null;
    frame.id = "";
    frame.style.display = "none";
    setTimeout(() => frame.remove(), 200); // the key or click that closes it is still being answered in there
    document.documentElement.style.overflow = overflow;
    drawn.button.focus({ preventScroll: true });
  }

  /** Tells an open dialog what the page changed. */
  async function changeOpen(/** @type {Instance} */ instance, /** @type {Options} */ changes) {
    if (dialog?.instance !== instance || !instance.session) return;
    await ask(`sessions/${instance.session}/update`, { options: changes }).catch(() => {});
    tell("update");
  }

  function tell(/** @type {string} */ type) {
    if (!dialog) return;
    dialog.frame.contentWindow?.postMessage({ source: MARK, type, session_id: dialog.instance.session }, origin);
  }

  /** What the dialog says, by type. @type {Record<string, (data: any) => void>} */
  const heard = {
    ready() {
      if (!dialog) return;
      dialog.frame.style.background = "transparent";
      dialog.frame.focus();
      tell("focus");
    },
    event({ name, payload }) {
      if (dialog) emit(dialog.instance, name, payload);
    },
    close({ state }) {
      if (dialog && state !== "started") dialog.instance.session = "";
      close();
    },
    redirect({ url }) {
      heard.close({});
      // an address that a browser would run instead of open is left alone
      if (/^https?:\/\//i.test(url)) location.assign(url);
    },
  };

  /** Hears the dialog and nobody else. */
  function hear(/** @type {MessageEvent} */ { origin: from, source, data }) {
    if (!dialog || from !== origin || source !== dialog.frame.contentWindow) return;
    if (data?.source === MARK && data.session_id === dialog.instance.session) heard[data.type]?.(data);
  }

  function emit(/** @type {Instance} */ instance, /** @type {string} */ event, /** @type {object} */ payload) {
    const id = instance.id || containerOf("")?.dataset.instanceId || "";
    for (const listener of listeners) {
      const wanted = listener.event === event && [id, instance.id, ""].includes(listener.id);
      if (wanted) run(listener.handler, { ...payload, instanceId: id, instance_id: id });
    }
  }

  function on(/** @type {any} */ event, /** @type {any} */ handler, /** @type {any} */ options) {
    listeners = [...listeners, { event, handler, id: idOf(options) }];
  }

  /** Takes off one handler, or all of an event, or all; of one button, or of every one. */
  function off(/** @type {any} */ event, /** @type {any} */ handler, /** @type {any} */ options) {
    const id = idOf(options);
    listeners = listeners.filter(
      (held) => (event && held.event !== event) || (handler && held.handler !== handler) || (id && held.id !== id),
    );
  }

  /** Draws in containers that the page adds; closes the dialog of one that it takes away (klarna.md §6.4). */
  function look() {
    for (const instance of instances.values()) {
      const container = containerOf(instance.id);
      if (container && instance.look && !instance.drawn.has(container)) show(instance);
    }
    if (dialog && !dialog.container?.isConnected && !containerOf(dialog.instance.id)) close();
  }

  /** @type {unknown} */
  let called;
  /** Calls the page's klarnaAsyncCallback, each function once. */
  function callBack(/** @type {any} */ callback) {
    if (typeof callback !== "function" || callback === called) return;
    called = callback;
    callback();
  }

  /** Calls back now, and when the callback is set too late, as some shops do. */
  function watch() {
    let callback = window.klarnaAsyncCallback;
    const late = (/** @type {unknown} */ value) => {
      callback = value;
      queueMicrotask(() => callBack(value));
    };
    const property = { configurable: true, enumerable: true, get: () => callback, set: late };
    if (Reflect.defineProperty(window, "klarnaAsyncCallback", property)) {
      window.addEventListener("load", () => callBack(window.klarnaAsyncCallback));
    }
    callBack(callback);
  }

  window.Klarna.InstantShopping = { load, update, on, off };
  window.addEventListener("message", hear);
  window.addEventListener("pagehide", close);
  const watched = { childList: true, subtree: true, attributes: true, attributeFilter: ["data-instance-id"] };
  new MutationObserver(look).observe(document, watched);
  watch();
})();
