/** Sending a callback again: as it was, or with another body. */

import { call } from "./api.js";
import { field, formOf, openDialog } from "./dialogs.js";
import { announce, element, words } from "./elements.js";

/** @typedef {import("./elements.js").Json} Json */

/**
 * Send a callback again, with its own body without `changes`, which are JSON.
 * @param {string} id
 * @param {string} name
 * @param {string} [changes]
 */
async function send(id, name, changes) {
  const sent = await call("POST", `/_mock/callbacks/${encodeURIComponent(id)}/resend`, changes);
  const attempt = sent.attempts.at(-1);
  const how = changes ? "sent with the changed body" : "sent again";
  announce(`${words(name)} was ${how}: ${attempt?.status ?? words(attempt?.outcome ?? "no answer")}`);
}

/**
 * @param {string} id
 * @param {string} name
 */
export async function sendAgain(id, name) {
  try {
    await send(id, name);
  } catch (error) {
    announce(String(error), true);
  }
}

/**
 * Open the dialog with the body of a callback, which is sent as it was edited.
 * @param {Json} entry an attempt in the journal
 */
export function sendChanged({ callback_id, name, url, request_body }) {
  const text = request_body === null ? "" : JSON.stringify(request_body, null, 2);
  const body = /** @type {HTMLTextAreaElement} */ (element("textarea", { name: "body", rows: 16, spellcheck: "false", autocomplete: "off" }, text));
  const dialog = openDialog(
    `Send ${words(name)} changed`,
    element("p", {}, `POST ${url}. Nothing checks the body; the shop has to.`),
    formOf(
      "Send",
      async (/** @type {Json} */ values) => {
        await send(callback_id, name, `{"body": ${json(values.body)}}`);
        dialog.close();
      },
      field("Body in JSON; empty for none", body),
    ),
  );
  dialog.classList.add("wide");
}

/**
 * Return the text if it is JSON, as it was typed: numbers that JavaScript cannot hold stay what they are.
 * @param {string} text
 */
function json(text) {
  try {
    JSON.parse(text.trim() || "null");
  } catch (error) {
    throw new Error(`This is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  return text.trim() || "null";
}
