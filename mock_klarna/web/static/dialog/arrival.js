/** Tells the shop's page that the dialog's page has arrived, and which of its files fail. It is not a module, because the modules may fail. */
(() => {
  document.currentScript?.remove();
  const { search, pathname } = window.location;
  const session = pathname.split("/").pop();
  const origin = new URLSearchParams(search).get("parent") || "";
  if (window.parent === window || !/^(https?:\/\/[^/]+|null)$/.test(origin)) return;

  /** @param {{type: string, reason?: string}} message */
  function send(message) {
    window.parent.postMessage({ source: "mock-klarna", session_id: session, ...message }, origin === "null" ? "*" : origin);
  }

  let isNamed = false;
  window.addEventListener(
    "error",
    (event) => {
      if (event.target instanceof HTMLImageElement) return; // the dialog starts without pictures too
      const { src, href } = /** @type {any} */ (event.target);
      if (src && isNamed) return; // the script itself fails with each module that it needs
      isNamed = true;
      send({ type: "failed", reason: event.message || `${src || href} cannot be loaded` });
    },
    true,
  );
  window.addEventListener("unhandledrejection", ({ reason }) => send({ type: "failed", reason: String(reason) }));
  send({ type: "arrived" });
})();
