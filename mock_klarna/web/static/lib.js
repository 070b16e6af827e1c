/* Klarna's browser library, emulated: finds its server by its own URL, shows buttons, opens the dialog. */
(() => {
  "use strict";
  const MARK = "mock-klarna";
  const TAG = "klarna-instant-shopping";
  const LIMIT_MS = 10000;
  const FRAME_STYLE = "all:initial;position:fixed;top:0;left:0;width:100%;height:100%;border:0;color-scheme:light dark;z-index:2147483647"
    .replace(/;|$/g, "!important;");
  const PAUSE_MS = 400;
  const RETRY_MS = 1000;
  const REMOVE_MS = 1000;
  const NO_OBJECT = "the options are not a JSON object";

  if (!Object.isExtensible(window.Klarna)) window.Klarna = { ...window.Klarna };
  if (window.Klarna.InstantShopping) {
    window.dispatchEvent(new Event(MARK));
    return;
  }
  let server = findServer();
  let origin = "";
  const NO_SERVER = "lib.js cannot find its server: load it from /instantshopping/lib/v1/lib.js of the server";

  /** What an open dialog waits for; the likely causes of a dialog that is not ready in time. */
  const WAITS_FOR = {
    session: "the server does not answer",
    page: "the server does not send the dialog",
    browser: "the server cannot be reached, or the page's Cross-Origin-Embedder-Policy forbids the dialog",
    modules: "a module of the dialog does not arrive",
  };

  /** @type {Map<string, Instance>} */
  const instances = new Map();
  /** The containers in the page and in its shadow roots, by instance id. @type {Map<string, Set<Container>>} */
  const containers = new Map();
  /** The id of each of them. @type {Map<Container, string>} */
  const ids = new Map();
  /** @type {Listener[]} */
  let listeners = [];
  /** @type {Dialog | null} */
  let dialog = null;
  let styles = "";
  /** @type {CSSStyleSheet | undefined} */
  let sheet;
  const started = start();
  /** The last rule of the page's Content-Security-Policy that the server broke. */
  let violation = "";

  /** Returns where lib.js came from: its script element, import() or fetch(); "" if that is unknown. */
  function findServer() {
    const { currentScript } = /** @type {any} */ (document);
    const scripts = /** @type {NodeListOf<HTMLScriptElement>} */ (document.querySelectorAll("script[src]")); // a page may have an <img name=scripts>
    const fetched = performance.getEntriesByType ? performance.getEntriesByType("resource").map(({ name }) => name) : [];
    const sources = [currentScript && currentScript.src, new Error().stack, ...[...scripts].map(({ src }) => src), ...fetched];
    const found = sources.map((text) => /(https?:\/\/[^\s()@]*?)\/instantshopping\/(lib|static)\//.exec(text || "")).find(Boolean);
    return found ? found[1] : "";
  }

  /** Fetches the styles; without them the buttons work. Browsers list what fetch() has loaded a little later. */
  async function start() {
    for (let tries = 20; !server && tries; tries -= 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      server = findServer();
    }
    if (!server) return warn(NO_SERVER);
    origin = new URL(server).origin;
    try {
      styles = await (await fetch(`${server}/instantshopping/static/lib.css`)).text();
    } catch {
      // the buttons look plain
    }
  }

  function warn(/** @type {string} */ text) {
    console.warn(`${MARK}: ${text}`);
  }

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
  function idOf(/** @type {any} */ options) {
    const { instance_id: id = "" } = (options && options.setup) || {};
    return id === null ? "" : String(id);
  }

  /** Returns the button with an id, or the only one if either has no id. */
  function instanceOf(/** @type {string} */ id) {
    const only = instances.size === 1 && (id === "" || instances.has(""));
    return instances.get(id) || (only ? [...instances.values()][0] : undefined);
  }

  /** Returns the container of a button. @type {(id: string) => Container | undefined} */
  function containerOf(id) {
    const [first] = containers.get(id) || [];
    return first || (id === "" && ids.size === 1 ? [...ids.keys()][0] : undefined);
  }

  /** Returns the button in the page; the page may have replaced its container. @type {(instance: Instance) => Drawn | undefined} */
  const drawnOf = ({ id, drawn }) => drawn.get(/** @type {Container} */ (containerOf(id)));

  /** Says which container is missing. */
  function missing(/** @type {string} */ id) {
    const others = [...ids.values()].slice(0, 9);
    return `the page has no <${TAG} data-instance-id=${JSON.stringify(id)}>, only the ids ${JSON.stringify(others)}`;
  }

  /** Keeps a container that was added, renamed or removed, and draws or closes what belongs to it. */
  function track(/** @type {Container} */ container) {
    const before = ids.get(container);
    const id = container.dataset.instanceId || "";
    if (before !== undefined) {
      const instance = instances.get(before);
      const drawn = instance && before !== id && instance.drawn.get(container);
      if (drawn) { // the container has another id now
        drawn.root.remove();
        instance.drawn.delete(container);
      }
      ids.delete(container);
      /** @type {Set<Container>} */ (containers.get(before)).delete(container);
    }
    if (container.isConnected) {
      ids.set(container, id);
      containers.set(id, (containers.get(id) || new Set()).add(container));
    }
    queueMicrotask(() => redraw(id));
  }

  /** Draws buttons in a container that has been added; closes the dialog of a removed one (klarna.md §6.4). */
  function redraw(/** @type {string} */ id) {
    for (const instance of new Set([instances.get(id), instances.get("")])) {
      const container = instance && containerOf(instance.id);
      if (instance && container && instance.design && !instance.drawn.has(container)) show(instance);
    }
    closeIfGone();
  }

  /** Tells the browser to call `track` for all containers. Another copy of lib.js may have defined the element. */
  function watchContainers() {
    const defined = /** @type {any} */ (customElements.get(TAG));
    if (defined) {
      defined.changed = track;
      document.querySelectorAll(TAG).forEach((element) => track(/** @type {any} */ (element)));
      return;
    }
    /** @type {any} */
    const Element = class extends HTMLElement {};
    Element.observedAttributes = ["data-instance-id"];
    Element.changed = track;
    for (const reaction of ["connected", "disconnected", "attributeChanged"]) {
      Element.prototype[`${reaction}Callback`] = function () {
        Element.changed(this);
      };
    }
    customElements.define(TAG, Element);
  }

  /** Returns JSON in spite of the `toJSON` that Prototype.js adds to arrays. */
  function toJson(/** @type {any} */ value) {
    const methods = /** @type {any} */ (Array.prototype);
    const { toJSON } = methods;
    delete methods.toJSON;
    try {
      return JSON.stringify(value);
    } finally {
      if (toJSON) methods.toJSON = toJSON;
    }
  }

  /** Sends a request; rejects without an answer. */
  async function post(/** @type {string} */ path, /** @type {object} */ body) {
    const answer = await fetch(`${server}/instantshopping/sdk/${path}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: toJson(body) });
    return { status: answer.status, body: await answer.json() };
  }

  const keyOf = (/** @type {Options} */ { setup }) => (setup || {}).key;

  /** @returns {Offer} */
  function failed(/** @type {string} */ code, /** @type {string} */ message, /** @type {string[]} */ fields = []) {
    return { show_button: false, error: { code, message, invalid_fields: fields, problems: [] } };
  }

  /** @returns {Promise<Offer>} */
  async function check(/** @type {object} */ body) {
    if (!server) return failed("network_error", NO_SERVER);
    try {
      const answer = await post("load", body);
      return answer.status === 200 ? answer.body : failed("bad_value", answer.body.detail);
    } catch (error) {
      return failed("network_error", await causeOf(error));
    }
  }

  /** Says why a request has no answer. */
  async function causeOf(/** @type {any} */ error) {
    violation = "";
    await new Promise((resolve) => setTimeout(resolve)); // the browser reports a violation after the failure
    return violation || `no answer from ${server}: ${error}`;
  }

  /** Keeps what the page's Content-Security-Policy does not allow the server; without its frame there is no dialog. */
  function keepViolation(/** @type {SecurityPolicyViolationEvent} */ { blockedURI, effectiveDirective, disposition }) {
    if (!origin || !blockedURI.startsWith(origin) || disposition === "report") return;
    violation = `the page's Content-Security-Policy has no "${effectiveDirective} ${origin}"`;
    if (effectiveDirective === "frame-src") explain(violation);
  }

  /** Returns a request's body. Older pages set members of setup as `data-` attributes. */
  function bodyOf(/** @type {string} */ id, /** @type {Options} */ options) {
    const container = containerOf(id);
    const { key, environment, region, instanceId } = container ? container.dataset : /** @type {DOMStringMap} */ ({});
    const setup = { key, environment, region, instance_id: instanceId, ...options.setup };
    return { options: { ...options, setup }, page_url: location.href };
  }

  /** Waits for the container until the page has been read. */
  async function waitForContainer(/** @type {string} */ id) {
    if (containerOf(id) || document.readyState !== "loading") return;
    await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve));
  }

  /** Returns a copy of the options, or null if they are not a JSON object. */
  function copyOf(/** @type {any} */ options) {
    try {
      const copy = JSON.parse(toJson(options || {}));
      return typeof copy === "object" && !Array.isArray(copy) ? copy : null;
    } catch {
      return null;
    }
  }

  function load(/** @type {any} */ pageOptions, /** @type {Callback=} */ callback) {
    const options = copyOf(pageOptions);
    if (!options) return answer(callback, failed("bad_value", NO_OBJECT));
    const id = idOf(options);
    const [own] = containers.get(id) || []; // the only button may have another container
    const instance = (id || own ? instances.get(id) : instanceOf(id)) || addInstance(id);
    instance.parameters = typeof callback === "function" ? callback.length : null;
    refresh(instance, options, options, callback);
  }

  function update(/** @type {any} */ pageOptions, /** @type {Callback=} */ callback) {
    const changes = copyOf(pageOptions);
    const instance = changes && instanceOf(idOf(changes));
    if (instance) return refresh(instance, merge(instance.options, changes), changes, callback);
    const message = `setup.instance_id: expected one of the loaded buttons: ${[...instances.keys()].join(", ")}`;
    answer(callback, changes ? failed("not_loaded", message, ["setup.instance_id"]) : failed("bad_value", NO_OBJECT));
  }

  /** Returns changed options; some members are merged, and null changes nothing. */
  function merge(/** @type {Options} */ options, /** @type {Options} */ changes) {
    const result = { ...options };
    for (const [name, value] of Object.entries(changes)) {
      const isMerged = ["setup", "merchant_urls", "options", "styling", "theme"].includes(name);
      if (value !== null) result[name] = isMerged ? merge(options[name] || {}, value) : value;
    }
    return result;
  }

  /** @returns {Instance} */
  function addInstance(/** @type {string} */ id) {
    const instance = { id, options: {}, version: 0, changes: null, design: null, drawn: new WeakMap(), session: "", state: "", parameters: null,
      sent: Promise.resolve(true), callbacks: [], isChecking: false, pause: 0, free: 0 };
    instances.set(id, instance);
    return instance;
  }

  /** Takes new options of the page, and checks the button with them. After load() with other options, a purchase that the
   * merchant decides on is left alone.
   * @type {(instance: Instance, options: Options, changes: Options, callback: Callback) => void} */
  function refresh(instance, options, changes, callback) {
    if (toJson(options) !== toJson(instance.options)) {
      instance.version += 1;
      // the session of the open dialog belongs to the key
      if (dialog && isOpen(instance) && dialog.frame.src && instance.state !== "authorized" && keyOf(options) !== keyOf(instance.options)) close();
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
      if (!instance.options.setup || !instance.options.setup.key) await waitForContainer(instance.id);
      const callbacks = instance.callbacks.splice(0);
      await started;
      const offer = await check(bodyOf(instance.id, instance.options));
      instance.design = (offer.show_button && offer.button) || null;
      await waitForContainer(instance.id);
      const message = show(instance);
      if (message) post("problems", { key: keyOf(instance.options), message, page_url: location.href }).catch(() => {});
      if (!offer.error || offer.error.code === "network_error") await sendChanges(instance);
      instance.free = performance.now() + instance.pause;
      for (const callback of callbacks) answer(callback, message ? failed("not_drawn", message) : offer);
    }
    instance.isChecking = false;
  }

  /** Waits between the checks of a button with an open dialog, the longer the more calls come in quick succession. */
  async function waitForTurn(/** @type {Instance} */ instance) {
    const left = isOpen(instance) ? instance.free - performance.now() : 0;
    instance.pause = left > 0 ? Math.min(2 * instance.pause, 4 * PAUSE_MS) : PAUSE_MS;
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
  }

  /** Calls back, and says in the console what a page may not notice. */
  function answer(/** @type {Callback} */ callback, /** @type {Offer} */ { show_button, error }) {
    if (error && (typeof callback !== "function" || error.code === "not_drawn")) warn(error.message);
    run(callback, error ? { show_button, error } : { show_button });
  }

  const isOpen = (/** @type {Instance} */ instance) => dialog !== null && dialog.instance === instance;

  /** Draws or removes a button; returns what prevents it. The container's other children stay: it may contain the rest of the page. */
  function show(/** @type {Instance} */ instance) {
    const container = containerOf(instance.id);
    if (!container) return instance.design ? missing(instance.id) : "";
    try {
      const drawn = instance.drawn.get(container) || createButton(instance);
      instance.drawn.set(container, drawn);
      if (instance.design) draw(drawn, instance.design);
      if (!instance.design) drawn.root.remove();
      else if (drawn.root.parentElement !== container) container.prepend(drawn.root);
      return "";
    } catch (error) {
      instance.drawn.delete(container);
      return `the button cannot be drawn: ${error}`;
    }
  }

  /** Creates elements. @type {(...tags: string[]) => any[]} */
  const elements = (...tags) => tags.map((tag) => document.createElement(tag));

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
    const [root, button, note, alert] = elements(`${MARK}-button`, "button", "p", "p");
    const drawn = { root, button, note, alert };
    button.type = "button";
    button.setAttribute("aria-describedby", (note.id = "note"));
    alert.setAttribute("role", "alert");
    button.addEventListener("click", () => open(instance, drawn));
    shadowOf(root).append(button, note, alert);
    return drawn;
  }

  /** Returns a new shadow root with the styles; older browsers have no style sheets that can be shared. */
  function shadowOf(/** @type {HTMLElement} */ root) {
    const shadow = root.attachShadow({ mode: "open" });
    try {
      if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(styles);
      shadow.adoptedStyleSheets = [sheet];
    } catch {
      const [style] = elements("style");
      style.textContent = styles;
      shadow.append(style);
    }
    return shadow;
  }

  /** Opens the dialog. Its frame exists before the click handlers run: shops use it (klarna.md §6.6). */
  async function open(/** @type {Instance} */ instance, /** @type {Drawn} */ drawn) {
    closeIfGone();
    if (dialog) return;
    drawn.alert.textContent = "";
    const opened = (dialog = createDialog(instance, drawn));
    let id = "";
    let cause = "";
    try {
      showDialog(opened);
      emit(instance, "buy_button_clicked", {});
      id = await openSession(instance);
    } catch (error) {
      warn((cause = await causeOf(error)));
    }
    if (dialog !== opened) return;
    if (id) {
      opened.waitsFor = WAITS_FOR.page;
      opened.frame.src = `${server}/instantshopping/dialog/${id}?parent=${window.origin}&locale=${drawn.root.lang}`;
    } else {
      close();
      say((drawnOf(instance) || drawn).alert, instance, cause);
    }
  }

  /** Creates the dialog: the frame, and until it is ready a progress indicator and a button to close it. @returns {Dialog} */
  function createDialog(/** @type {Instance} */ instance, /** @type {Drawn} */ drawn) {
    const [root, modal, slot, box, spinner, alert, button, frame] = elements(`${MARK}-overlay`, "dialog", "slot", "div", "i", "p", "button", "iframe");
    frame.id = frame.name = `${TAG}-fullscreen`;
    frame.title = `${drawn.button.textContent} (${MARK})`;
    frame.style.cssText = FRAME_STYLE;
    frame.addEventListener("load", () => {
      if (opened.waitsFor === WAITS_FOR.page) opened.waitsFor = WAITS_FOR.browser;
    });
    root.lang = drawn.root.lang;
    modal.setAttribute("aria-label", frame.title);
    alert.setAttribute("role", "alert");
    button.setAttribute("aria-label", instance.design ? instance.design.close : "");
    button.textContent = "×";
    button.className = "light";
    frame.inert = true;
    button.addEventListener("click", close);
    modal.addEventListener("close", () => dialog === opened && close());
    box.append(button, spinner, alert);
    modal.append(slot, box);
    shadowOf(root).append(modal);
    root.append(frame);
    const marker = document.createComment(MARK);
    const container = drawn.root.parentElement;
    const { style } = document.documentElement;
    /** @type {[string, string]} */
    const overflow = [style.getPropertyValue("overflow"), style.getPropertyPriority("overflow")];
    const opened = { instance, container, root, modal, frame, marker, overflow, button, alert, waitsFor: WAITS_FOR.session, timer: 0 };
    return opened;
  }
  /** Shows the dialog above everything else and beside the body, so that no rule for the body matters. */
  function showDialog(/** @type {Dialog} */ opened) {
    const page = document.documentElement;
    page.style.setProperty("overflow", "hidden", "important");
    (document.body || page).append(opened.marker);
    page.append(opened.root);
    if (opened.modal.showModal) opened.modal.showModal();
    else opened.modal.setAttribute("open", "");
    opened.button.focus();
    opened.timer = setTimeout(() => explain(opened.waitsFor), LIMIT_MS);
    window.addEventListener("message", receive);
    window.addEventListener("keydown", closeOnEscape, true);
    observer.observe(document, { childList: true, subtree: true });
  }

  /** Says in the page why the dialog is not ready. It may still become ready. */
  function explain(/** @type {string} */ cause) {
    if (!dialog || dialog.modal.className) return;
    warn((cause += ` (${server})`));
    say(dialog.alert, dialog.instance, cause);
  }

  /** Shows that the purchase is not possible now, in the shopper's language, and the cause, for the developer. */
  function say(/** @type {HTMLElement} */ alert, /** @type {Instance} */ { design }, /** @type {string} */ cause) {
    const [reason] = elements("span");
    reason.lang = "en";
    reason.textContent = cause;
    alert.textContent = design ? `${design.not_now} ` : "";
    alert.append(reason);
  }

  /** Closes the dialog and focuses the button. The page stays inert until it is painted without the frame: before that, the
   * browser would send a click to the frame that is gone, and the click would be lost. */
  function close() {
    if (!dialog) return;
    const { instance, root, modal, frame, marker, overflow, timer } = dialog;
    dialog = null;
    clearTimeout(timer);
    observer.disconnect();
    window.removeEventListener("keydown", closeOnEscape, true);
    frame.id = "";
    root.hidden = true;
    let isInert = true;
    const release = () => {
      if (!isInert) return;
      isInert = false;
      if (modal.close) modal.close();
      const drawn = drawnOf(instance);
      if (!dialog && drawn) drawn.button.focus({ preventScroll: true });
    };
    requestAnimationFrame(() => requestAnimationFrame(release));
    setTimeout(() => {
      release(); // a page in the background is not painted
      root.remove(); // later than the call: the event in the frame that closed it may still be handled
    }, REMOVE_MS);
    marker.remove();
    document.documentElement.style.setProperty("overflow", ...overflow);
  }

  function closeOnEscape(/** @type {KeyboardEvent} */ event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    close();
  }

  /** Closes the dialog if the page has removed its frame, its container or the body. */
  function closeIfGone() {
    if (!dialog) return;
    const { instance, container, frame, marker } = dialog;
    if (frame.isConnected && marker.isConnected && ((container && container.isConnected) || containerOf(instance.id))) return;
    close();
  }
  const observer = new MutationObserver(closeIfGone);

  /** Returns the id of a new session, or of the earlier one if it can continue; or "". It has the page's latest options.
   * Rejects without an answer. @type {(instance: Instance) => Promise<string>} */
  async function openSession(instance) {
    const { id, options, version, session, state, parameters } = instance;
    const opened = dialog;
    if (!session || state !== "authorized") { // else the merchant decides on it
      instance.changes = null;
      const page = bodyOf(id, options);
      const { body } = await post("sessions", { ...page, session_id: session, page_version: version, load_callback: { parameters } });
      if (!body.session_id) warn(body.detail);
      if (!body.session_id || dialog !== opened) return "";
      if (keyOf(options) !== keyOf(instance.options)) return openSession(instance);
      instance.state = "started";
      instance.session = body.session_id;
    }
    while (dialog === opened && instance.changes && (await sendChanges(instance)));
    return instance.session;
  }

  /** Sends the page's changes to the session of the open dialog, after earlier ones; returns whether the session has them. */
  function sendChanges(/** @type {Instance} */ instance) {
    instance.sent = instance.sent.then(async () => {
      const { session, changes, version } = instance;
      if (!session || !changes || !isOpen(instance)) return true;
      instance.changes = null;
      // no answer: sent again, as after 5xx
      const { status } = await post(`sessions/${session}/update`, { options: changes, page_version: version }).catch(() => ({ status: 500 }));
      if (status === 200) send("update");
      else instance.changes = merge(changes, instance.changes || {});
      if (status >= 500) setTimeout(() => sendChanges(instance), RETRY_MS);
      return status === 200;
    });
    return instance.sent;
  }

  function send(/** @type {string} */ type) {
    closeIfGone();
    const to = window.origin === "null" ? "*" : origin; // the frame of a sandboxed page has no origin either
    if (dialog) /** @type {Window} */ (dialog.frame.contentWindow).postMessage({ source: MARK, type, session_id: dialog.instance.session }, to);
  }

  /** Handlers of the dialog's messages, by type. @type {Record<string, (data: any) => void>} */
  const handlers = {
    arrived() {
      if (dialog) dialog.waitsFor = WAITS_FOR.modules;
    },
    failed({ reason }) {
      explain(`the dialog cannot start: ${reason}`);
    },
    ready() {
      if (!dialog) return;
      clearTimeout(dialog.timer);
      dialog.modal.className = "ready";
      dialog.frame.inert = false;
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
    if (!dialog || ![origin, window.origin].includes(from) || source !== dialog.frame.contentWindow) return;
    if (!data || data.source !== MARK || data.session_id !== dialog.instance.session) return;
    if (Object.keys(handlers).includes(data.type)) handlers[data.type](data);
  }

  function emit(/** @type {Instance} */ instance, /** @type {string} */ event, /** @type {object} */ payload) {
    const id = instance.id || ids.get(/** @type {Container} */ (containerOf(""))) || "";
    for (const listener of [...listeners]) {
      const wanted = listener.event === event && [id, instance.id, ""].includes(listener.id);
      if (wanted) run(listener.handler, { ...payload, instanceId: id, instance_id: id });
    }
  }

  function on(/** @type {any} */ event, /** @type {any} */ handler, /** @type {any} */ options) {
    listeners.push({ event, handler, id: idOf(options) });
  }

  /** Removes a handler, those of an event, or all; of a button or of all. */
  function off(/** @type {any} */ event, /** @type {any} */ handler, /** @type {any} */ options) {
    const id = idOf(options);
    listeners = listeners.filter(
      (listener) => (event && listener.event !== event) || (handler && listener.handler !== handler) || (id && listener.id !== id)
    );
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
    Reflect.defineProperty(window, "klarnaAsyncCallback", property); // impossible after `var klarnaAsyncCallback`
    const call = () => callBack(window.klarnaAsyncCallback);
    window.addEventListener("load", call);
    window.addEventListener(MARK, call); // the page loads lib.js again
    call();
  }

  window.Klarna.InstantShopping = { load, update, on, off };
  window.addEventListener("pagehide", close);
  document.addEventListener("securitypolicyviolation", keepViolation);
  watchContainers();
  watchCallback();
})();
