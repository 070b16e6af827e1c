/** Tells the shop's page that the dialog's page has arrived, and which of its files fail. It is not a module, because the modules may fail. */
(() => {
  document.currentScript?.remove();
  const { search, pathname } = window.location;
  const session = pathname.split("/").pop();
  const origin = new URLSearchParams(search).get("parent") || "";
  const isEmbedded = window.parent !== window && /^(https?:\/\/[^/]+|null)$/.test(origin);

  /** @param {{type: string, reason?: string}} message */
  function send(message) {
    if (!isEmbedded) return;
    window.parent.postMessage({ source: "mock-klarna", session_id: session, ...message }, origin === "null" ? "*" : origin);
  }

  /**
   * Says why the dialog cannot start: to the shop's page, or on the page itself if there is no shop and nothing has been shown yet.
   *
   * @param {string} reason
   */
  function fail(reason) {
    send({ type: "failed", reason });
    if (isEmbedded) return;
    const sentence = Object.assign(document.createElement("p"), { lang: "en", textContent: `This page cannot start: ${reason}` });
    sentence.setAttribute("role", "alert");
    document.querySelector(".skeleton")?.replaceWith(sentence);
  }

  let isNamed = false;
  window.addEventListener(
    "error",
    (event) => {
      if (event.target instanceof HTMLImageElement) return; // the dialog starts without pictures too
      const { src, href } = /** @type {any} */ (event.target);
      if (src && isNamed) return; // the script itself fails with each module that it needs
      isNamed = true;
      fail(event.message || `${src || href} cannot be loaded`);
    },
    true,
  );
  window.addEventListener("unhandledrejection", ({ reason }) => fail(String(reason)));
  send({ type: "arrived" });
})();
