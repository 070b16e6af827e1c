/* Klarna's browser library, emulated: finds its server by its own URL, shows buttons, opens the dialog. */
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
p.on-dark { color: #fff }
p:empty { display: none }`;
  const PAUSE_MS = 400;
  const RETRY_MS = 1000;
  const NO_OBJECT = "the options are not a JSON object";
  const FRAME_STYLE = `position:fixed;inset:0;width:100%;height:100%;max-width:none;margin:0;border:0;
    z-index:2147483647;color-scheme:normal;background:rgba(11,14,20,.55)`;

  const scripts = [document.currentScript, ...document.scripts].map((script) => /** @type {any} */ (script)?.src || "");
  const server = scripts.find((address) => address.includes("/instantshopping/lib/"))?.split("/instantshopping/lib/")[0];
  window.Klarna = window.Klarna || {};
  if (!server || window.Klarna.InstantShopping) return;
  const origin = new URL(server).origin;

  /** @type {Map<string, Instance>} */
  const instances = new Map();
  /** @type {Listener[]} */
  let listeners = [];
  /** @type {Dialog | null} */
  let dialog = null;

  /** Calls a function of the page; its errors do not stop the library. */
  function run(/** @type {any} */ callback, /** @type {object} */ argument) {
    try {
      if (typeof callback === "function") callback(argument);
    } catch (error) {
      setTimeout(() => {
        throw error;
      });
    }
  }

  /** Returns the instance id in the options, or "". */
  const idOf = (/** @type {any} */ options) => String(options?.setup?.instance_id ?? "");

  /** Returns the button with an id, or the only one if either has no id. */
  function instanceOf(/** @type {string} */ id) {
    const only = instances.size === 1 && (id === "" || instances.has(""));
    return instances.get(id) || (only ? [...instances.values()][0] : undefined);
  }

  /** Returns the container of a button. */
  function containerOf(/** @type {string} */ id) {
    const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("klarna-instant-shopping")]);
    if (id) return all.find((element) => element.dataset.instanceId === id);
    return all.find((element) => !element.dataset.instanceId) || (all.length === 1 ? all[0] : undefined);
  }

  /** Sends a request; rejects without an answer. */
  async function post(/** @type {string} */ path, /** @type {object} */ body) {
    const headers = { "Content-Type": "application/json" };
    const request = { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(`${server}/instantshopping/sdk/${path}`, request);
    return { status: answer.status, body: await answer.json() };
  }

  /** @returns {Offer} */
  function failed(/** @type {string} */ code, /** @type {string} */ message, /** @type {string[]} */ fields = []) {
    return { show_button: false, error: { code, message, invalid_fields: fields, problems: [] } };
  }

  /** @returns {Promise<Offer>} */
  async function check(/** @type {object} */ body) {
    try {
      const answer = await post("load", body);
      return answer.status === 200 ? answer.body : failed("bad_value", answer.body.detail);
    } catch (error) {
      return failed("network_error", `no answer from ${server}: ${error}`);
    }
  }

  /** Returns a request's body. Older pages set members of setup as `data-` attributes. */
  function bodyOf(/** @type {string} */ id, /** @type {Options} */ options) {
    const { key, environment, region, instanceId } = containerOf(id)?.dataset ?? {};
    const setup = { key, environment, region, instance_id: instanceId, ...options.setup };
    return { options: { ...options, setup }, page_url: location.href };
  }

  /** Waits for an element that may have the key. */
  async function waitForPage(/** @type {string} */ id, /** @type {Options} */ options) {
    if (options.setup?.key || containerOf(id) || document.readyState !== "loading") return;
    await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve));
  }

  /** Returns a copy of the options, or null if they are not a JSON object. */
  function copyOf(/** @type {any} */ options) {
    try {
      const copy = JSON.parse(JSON.stringify(options ?? {}));
      return typeof copy === "object" && !Array.isArray(copy) ? copy : null;
    } catch {
      return null;
    }
  }

  function load(/** @type {any} */ pageOptions, /** @type {Callback=} */ callback) {
    const options = copyOf(pageOptions);
    if (!options) return run(callback, failed("bad_value", NO_OBJECT));
    const id = idOf(options);
    const instance = (id ? instances.get(id) : instanceOf(id)) || addInstance(id);
    refresh(instance, options, options, callback);
  }

  function update(/** @type {any} */ pageOptions, /** @type {Callback=} */ callback) {
    const changes = copyOf(pageOptions);
    const instance = changes && instanceOf(idOf(changes));
    if (instance) return refresh(instance, merge(instance.options, changes), changes, callback);
    const message = `setup.instance_id: expected one of the loaded buttons: ${[...instances.keys()].join(", ")}`;
    run(callback, changes ? failed("not_loaded", message, ["setup.instance_id"]) : failed("bad_value", NO_OBJECT));
  }

  /** Returns changed options; some members are merged. */
  function merge(/** @type {Options} */ options, /** @type {Options} */ changes) {
    const result = { ...options, ...changes };
    for (const name of ["setup", "merchant_urls", "options"]) {
      if (changes[name]) result[name] = { ...options[name], ...changes[name] };
    }
    if (changes.styling) result.styling = { theme: { ...options.styling?.theme, ...changes.styling.theme } };
    return result;
  }

  /** @returns {Instance} */
  function addInstance(/** @type {string} */ id) {
    const instance = { id, options: {}, version: 0, changes: null, design: null, drawn: new WeakMap(), session: "", state: "",
      sent: Promise.resolve(true), callbacks: [], isChecking: false, pause: 0, free: 0 };
    instances.set(id, instance);
    return instance;
  }

  /** Takes new options of the page, and checks the button with them. After load() with other options, a purchase that the
   * merchant decides on is left alone.
   * @type {(instance: Instance, options: Options, changes: Options, callback: Callback) => void} */
  function refresh(instance, options, changes, callback) {
    if (JSON.stringify(options) !== JSON.stringify(instance.options)) {
      instance.version += 1;
      instance.changes = merge(instance.changes || {}, changes);
      if (changes === options && !isOpen(instance)) instance.state = "";
    }
    instance.options = options;
    instance.callbacks.push(callback);
    if (!instance.isChecking) checkButton(instance);
  }

  /** Checks a button on the server, draws it and calls back. Calls that come during a check are answered by the next one. */
  async function checkButton(/** @type {Instance} */ instance) {
    instance.isChecking = true;
    while (instance.callbacks.length) {
      await waitForTurn(instance);
      await waitForPage(instance.id, instance.options);
      const callbacks = instance.callbacks.splice(0);
      const { show_button, button, error } = await check(bodyOf(instance.id, instance.options));
      instance.design = (show_button && button) || null;
      show(instance);
      if (show_button) await sendChanges(instance);
      instance.free = performance.now() + instance.pause;
      for (const callback of callbacks) run(callback, error ? { show_button, error } : { show_button });
    }
    instance.isChecking = false;
  }

  /** Waits between the checks of a button with an open dialog, the longer the more calls come in quick succession. */
  async function waitForTurn(/** @type {Instance} */ instance) {
    const left = isOpen(instance) ? instance.free - performance.now() : 0;
    instance.pause = left > 0 ? Math.min(2 * instance.pause, 4 * PAUSE_MS) : PAUSE_MS;
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
  }

  const isOpen = (/** @type {Instance} */ instance) => dialog !== null && dialog.instance === instance;

  /** Draws or removes a button. The container's other children stay: it may contain the rest of the page. */
  function show(/** @type {Instance} */ instance) {
    const container = containerOf(instance.id);
    if (!container) return;
    const drawn = instance.drawn.get(container) ?? createButton(instance);
    instance.drawn.set(container, drawn);
    if (!instance.design) return drawn.root.remove();
    draw(drawn, instance.design);
    if (drawn.root.parentElement !== container) container.prepend(drawn.root);
  }

  function draw(/** @type {Drawn} */ { root, button, note, alert }, /** @type {Design} */ design) {
    root.lang = design.language;
    button.textContent = design.label;
    button.className = design.theme;
    note.textContent = `${MARK} · ${design.note}`;
    note.className = alert.className = design.tagline === "light" ? "on-dark" : "";
    alert.textContent = "";
  }

  /** Creates a button that the page's styles and security policy do not affect. @returns {Drawn} */
  function createButton(/** @type {Instance} */ instance) {
    const [root, button, note, alert] = ["div", "button", "p", "p"].map((tag) => document.createElement(tag));
    const drawn = { root, button, note, alert };
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    button.setAttribute("type", "button");
    button.setAttribute("aria-describedby", (note.id = "note"));
    alert.setAttribute("role", "alert");
    button.addEventListener("click", () => open(instance, drawn));
    const shadow = root.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [sheet];
    shadow.append(button, note, alert);
    return drawn;
  }

  /** Opens the dialog. Its frame exists before the click handlers run: shops use it (klarna.md §6.6). */
  async function open(/** @type {Instance} */ instance, /** @type {Drawn} */ drawn) {
    if (dialog) return;
    drawn.alert.textContent = "";
    const page = document.documentElement;
    const frame = document.createElement("iframe");
    const opened = { instance, drawn, container: drawn.root.parentElement, frame, overflow: page.style.overflow };
    dialog = opened;
    frame.id = frame.name = "klarna-instant-shopping-fullscreen";
    frame.title = `${drawn.button.textContent} (${MARK})`;
    frame.style.cssText = FRAME_STYLE;
    page.style.overflow = "hidden";
    document.body.append(frame);
    emit(instance, "buy_button_clicked", {});
    const id = await openSession(instance);
    if (dialog !== opened) return;
    instance.session = id;
    if (id) {
      frame.src = `${server}/instantshopping/dialog/${id}?parent=${location.origin}`;
    } else {
      close();
      drawn.alert.textContent = instance.design?.not_now ?? "";
    }
  }

  /** Returns the id of a new session, or of the earlier one if it can continue; or "". It has the page's latest options. */
  async function openSession(/** @type {Instance} */ instance) {
    const { id, options, version, session, state } = instance;
    if (session && state === "authorized") return session; // the merchant decides on it
    instance.changes = null;
    try {
      const { body } = await post("sessions", { ...bodyOf(id, options), session_id: session, page_version: version });
      if (!body.session_id || !isOpen(instance)) return "";
      instance.state = "started";
      instance.session = String(body.session_id);
      while (instance.changes && (await sendChanges(instance)));
      return instance.session;
    } catch {
      return "";
    }
  }

  /** Closes the dialog and focuses the button. */
  function close() {
    if (!dialog) return;
    const { drawn, frame, overflow } = dialog;
    dialog = null;
    frame.id = "";
    frame.style.display = "none";
    setTimeout(() => frame.remove(), 200); // its own event handler may still be running
    document.documentElement.style.overflow = overflow;
    drawn.button.focus({ preventScroll: true });
  }

  /** Sends the page's changes to the session of the open dialog, after earlier ones; returns whether the session has them. */
  function sendChanges(/** @type {Instance} */ instance) {
    instance.sent = instance.sent.then(async () => {
      const { session, changes, version } = instance;
      if (!session || !changes || !isOpen(instance)) return true;
      instance.changes = null;
      const request = post(`sessions/${session}/update`, { options: changes, page_version: version });
      const status = await request.then((answer) => answer.status, () => 0);
      if (status === 200) send("update");
      else instance.changes = merge(changes, instance.changes || {});
      if (status === 0 || status >= 500) setTimeout(() => sendChanges(instance), RETRY_MS);
      return status === 200;
    });
    return instance.sent;
  }

  function send(/** @type {string} */ type) {
    if (!dialog) return;
    dialog.frame.contentWindow?.postMessage({ source: MARK, type, session_id: dialog.instance.session }, origin);
  }

  /** Handlers of the dialog's messages, by type. @type {Record<string, (data: any) => void>} */
  const handlers = {
    ready() {
      if (!dialog) return;
      dialog.frame.style.background = "transparent";
      dialog.frame.focus();
      send("focus");
    },
    event({ name, payload }) {
      if (dialog) emit(dialog.instance, name, payload);
    },
    state({ state }) {
      if (dialog) dialog.instance.state = state;
    },
    close,
    redirect({ url }) {
      close();
      // other schemes, such as javascript:, are not opened
      if (/^https?:\/\//i.test(url)) location.assign(url);
    },
  };

  /** Handles messages of the dialog only. */
  function receive(/** @type {MessageEvent} */ { origin: from, source, data }) {
    if (!dialog || from !== origin || source !== dialog.frame.contentWindow) return;
    if (data?.source === MARK && data.session_id === dialog.instance.session) handlers[data.type]?.(data);
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

  /** Removes a handler, those of an event, or all; of a button or of all. */
  function off(/** @type {any} */ event, /** @type {any} */ handler, /** @type {any} */ options) {
    const id = idOf(options);
    listeners = listeners.filter(
      (listener) => (event && listener.event !== event) || (handler && listener.handler !== handler) || (id && listener.id !== id),
    );
  }

  /** Draws in added containers; closes the dialog of a removed one (klarna.md §6.4). */
  function redraw() {
    for (const instance of instances.values()) {
      const container = containerOf(instance.id);
      if (container && instance.design && !instance.drawn.has(container)) show(instance);
    }
    if (dialog && !dialog.container?.isConnected && !containerOf(dialog.instance.id)) close();
  }

  /** @type {unknown} */
  let lastCallback;
  /** Calls each klarnaAsyncCallback once. */
  function callBack(/** @type {any} */ callback) {
    if (typeof callback !== "function" || callback === lastCallback) return;
    lastCallback = callback;
    callback();
  }

  /** Calls klarnaAsyncCallback now, or when a page sets it. */
  function watchCallback() {
    let callback = window.klarnaAsyncCallback;
    const set = (/** @type {unknown} */ value) => {
      callback = value;
      queueMicrotask(() => callBack(value));
    };
    const property = { configurable: true, enumerable: true, get: () => callback, set };
    if (Reflect.defineProperty(window, "klarnaAsyncCallback", property)) {
      window.addEventListener("load", () => callBack(window.klarnaAsyncCallback));
    }
    callBack(callback);
  }

  window.Klarna.InstantShopping = { load, update, on, off };
  window.addEventListener("message", receive);
  window.addEventListener("pagehide", close);
  const observed = { childList: true, subtree: true, attributes: true, attributeFilter: ["data-instance-id"] };
  new MutationObserver(redraw).observe(document, observed);
  watchCallback();
})();
