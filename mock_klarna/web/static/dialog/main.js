import { ask } from "./api.js";
import { learn } from "./countries.js";
import { byId } from "./elements.js";
import { Dialog } from "./dialog.js";
import { recall, remember } from "./memory.js";
import { language, texts } from "./texts.js";

/**
 * The page says what it is for: a session that the shop's page opened, or a key to begin one from.
 *
 * @param {DOMStringMap} page
 */
async function begin(page) {
  learn(page.countries ?? "{}");
  const session = page.session || (await opened(page));
  await new Dialog(session, page.parent ?? "").begin();
}

/**
 * A session of an offsite page; a reload goes on with the one that was begun (klarna.md §7).
 *
 * @param {DOMStringMap} page
 * @returns {Promise<string>}
 */
async function opened({ buttonKey = "", locale }) {
  const name = `${buttonKey}:${locale}`;
  const known = recall(name);
  if (known && (await isOpen(known))) return known;
  const setup = { key: buttonKey, instance_id: "offsite" };
  const options = locale ? { setup, locale } : { setup };
  const { session_id } = await ask("sessions", { options, page_url: location.href });
  remember(name, session_id);
  return session_id;
}

/**
 * @param {string} session
 * @returns {Promise<boolean>}
 */
async function isOpen(session) {
  const view = await ask(`sessions/${encodeURIComponent(session)}`).catch(() => null);
  return view?.state === "started";
}

begin(document.body.dataset).catch(async (failure) => {
  const say = await texts(language(document.body.dataset.locale));
  byId("step").textContent = failure.status === 404 ? say("gone") : say("unreachable");
  byId("step").setAttribute("role", "alert");
});
