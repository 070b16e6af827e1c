/* An emulation of Klarna's browser library: it finds its server by its own URL, shows buttons and opens the dialog. */
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
  const NO_OBJECT = "the options are not an object that can be written as JSON";
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

  /** Calls a function of the page. Its errors are reported as uncaught and do not stop the library. */
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

  /** Returns the button with an id. Without an id, of the call or of the button, it is the only one. */
  function instanceOf(/** @type {string} */ id) {
    const only = instances.size === 1 && (id === "" || instances.has(""));
    return instances.get(id) || (only ? [...instances.values()][0] : undefined);
  }

  /** Returns the element that contains a button. */
  function containerOf(/** @type {string} */ id) {
    const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("klarna-instant-shopping")]);
    if (id) return all.find((element) => element.dataset.instanceId === id);
    return all.find((element) => !element.dataset.instanceId) || (all.length === 1 ? all[0] : undefined);
  }

  /** Sends a request to the server; rejects if there is no answer. */
  async function post(/** @type {string} */ path, /** @type {object} */ body) {
    const headers = { "Content-Type": "application/json" };
    const request = { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(`${server}/instantshopping/sdk/${path}`, request);
    return { status: answer.status, body: await answer.json() };
  }

  /** @returns {Offer} */
  function errorOffer(/** @type {string} */ code, /** @type {string} */ message, /** @type {string[]} */ fields = []) {
    return { show_button: false, error: { code, message, invalid_fields: fields, problems: [] } };
  }

  /** @returns {Promise<Offer>} */
  async function check(/** @type {object} */ body) {
    try {
      const answer = await post("load", body);
      return answer.status === 200 ? answer.body : errorOffer("bad_value", answer.body.detail);
    } catch (error) {
      return errorOffer("network_error", `no answer from ${server}: ${error}`);
    }
  }

  /** Returns the body of a request: older pages set the key and more as `data-` attributes of the element. */
  function requestBody(/** @type {string} */ id, /** @type {Options} */ options) {
    const { key, environment, region, instanceId } = containerOf(id)?.dataset ?? {};
    const setup = { key, environment, region, instance_id: instanceId, ...options.setup };
    return { options: { ...options, setup }, page_url: location.href };
  }

  /** Waits until the page is parsed, if the element with the key is missing. */
  async function waitForElement(/** @type {string} */ id, /** @type {Options} */ options) {
    if (options.setup?.key || containerOf(id) || document.readyState !== "loading") return;
    await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve));
  }

  /** Returns a copy of the options, or null if they are not an object that can be written as JSON. */
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
    if (!options) return run(callback, errorOffer("bad_value", NO_OBJECT));
    const id = idOf(options);
    const instance = (id ? instances.get(id) : instanceOf(id)) || createInstance(id);
    refresh(instance, options, options, callback);
  }

  function update(/** @type {any} */ pageOptions, /** @type {Callback=} */ callback) {
    const changes = copyOf(pageOptions);
    const instance = changes && instanceOf(idOf(changes));
    if (instance) return refresh(instance, merge(instance.options, changes), changes, callback);
    const message = `setup.instance_id: expected one of the loaded buttons: ${[...instances.keys()].join(", ")}`;
    run(callback, changes ? errorOffer("not_loaded", message, ["setup.instance_id"]) : errorOffer("bad_value", NO_OBJECT));
  }

  /** Returns the options with changes. Some members are merged, the others replaced. */
  function merge(/** @type {Options} */ options, /** @type {Options} */ changes) {
    const result = { ...options, ...changes };
    for (const name of ["setup", "merchant_urls", "options"]) {
      if (changes[name]) result[name] = { ...options[name], ...changes[name] };
    }
    if (changes.styling) result.styling = { theme: { ...options.styling?.theme, ...changes.styling.theme } };
    return result;
  }

  /** @returns {Instance} */
  function createInstance(/** @type {string} */ id) {
    const instance = { id, options: {}, appearance: null, drawn: new WeakMap(), session: "", queue: Promise.resolve() };
    instances.set(id, instance);
    return instance;
  }

  /** Checks a button on the server, draws it and calls back, after the earlier calls.
   * @type {(instance: Instance, options: Options, changes: Options, callback: Callback) => void} */
  function refresh(instance, options, changes, callback) {
    const same = JSON.stringify(options) === JSON.stringify(instance.options);
    if (!same && dialog?.instance !== instance) instance.session = "";
    instance.options = options;
    instance.queue = instance.queue.then(async () => {
      await waitForElement(instance.id, options);
      const { show_button, button, error } = await check(requestBody(instance.id, options));
      instance.appearance = (show_button && button) || null;
      show(instance);
      if (show_button && !same) await updateDialog(instance, changes);
      run(callback, error ? { show_button, error } : { show_button });
    });
  }

  /** Draws or removes a button. Other children of the container stay: an unclosed one contains the rest of the page. */
  function show(/** @type {Instance} */ instance) {
    const container = containerOf(instance.id);
    if (!container) return;
    const drawn = instance.drawn.get(container) ?? createButton(instance);
    instance.drawn.set(container, drawn);
    if (!instance.appearance) return drawn.root.remove();
    draw(drawn, instance.appearance);
    if (drawn.root.parentElement !== container) container.prepend(drawn.root);
  }

  function draw(/** @type {Drawn} */ { root, button, note, alert }, /** @type {Appearance} */ appearance) {
    root.lang = appearance.language;
    button.textContent = appearance.label;
    button.className = appearance.theme;
    note.textContent = `${MARK} · ${appearance.note}`;
    note.className = alert.className = appearance.tagline === "light" ? "on-dark" : "";
    alert.textContent = "";
  }

  /** Creates a button in a shadow root, independent of the page's styles and allowed by its security policy. @returns {Drawn} */
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

  /** Opens the dialog. The frame exists before the click handlers run, because shops use it there (klarna.md §6.6). */
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
    const id = await startSession(instance);
    if (dialog !== opened) return;
    instance.session = id;
    if (id) {
      frame.src = `${server}/instantshopping/dialog/${id}?parent=${location.origin}`;
    } else {
      close();
      drawn.alert.textContent = instance.appearance?.not_now ?? "";
    }
  }

  /** Returns the id of a new session, or of the earlier one if it can continue; "" if there is none. */
  async function startSession(/** @type {Instance} */ { id, options, session }) {
    try {
      const { body } = await post("sessions", { ...requestBody(id, options), session_id: session });
      return String(body.session_id ?? "");
    } catch {
      return "";
    }
  }

  /** Closes the dialog and returns the focus to the button. */
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

  /** Sends changes of the page to an open dialog. */
  async function updateDialog(/** @type {Instance} */ instance, /** @type {Options} */ changes) {
    if (dialog?.instance !== instance || !instance.session) return;
    await post(`sessions/${instance.session}/update`, { options: changes }).catch(() => {});
    send("update");
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
    close({ state }) {
      if (dialog && state !== "started") dialog.instance.session = "";
      close();
    },
    redirect({ url }) {
      handlers.close({});
      // other schemes, such as javascript:, are not opened
      if (/^https?:\/\//i.test(url)) location.assign(url);
    },
  };

  /** Handles messages of the dialog; messages from elsewhere are ignored. */
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

  /** Removes one handler, all of an event, or all; of one button or of every one. */
  function off(/** @type {any} */ event, /** @type {any} */ handler, /** @type {any} */ options) {
    const id = idOf(options);
    listeners = listeners.filter(
      (listener) => (event && listener.event !== event) || (handler && listener.handler !== handler) || (id && listener.id !== id),
    );
  }

  /** Draws in containers that the page adds, and closes the dialog if its container is removed (klarna.md §6.4). */
  function containersChanged() {
    for (const instance of instances.values()) {
      const container = containerOf(instance.id);
      if (container && instance.appearance && !instance.drawn.has(container)) show(instance);
    }
    if (dialog && !dialog.container?.isConnected && !containerOf(dialog.instance.id)) close();
  }

  /** @type {unknown} */
  let lastCallback;
  /** Calls the page's klarnaAsyncCallback, each function once. */
  function callBack(/** @type {any} */ callback) {
    if (typeof callback !== "function" || callback === lastCallback) return;
    lastCallback = callback;
    callback();
  }

  /** Calls klarnaAsyncCallback now, and when a page sets it later. */
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
  new MutationObserver(containersChanged).observe(document, observed);
  watchCallback();
})();
