import { loadCountries } from "./countries.js";
import { Dialog } from "./dialog.js";
import { byId } from "./elements.js";
import { ParentPage, readStored, store } from "./page.js";
import { ask, RequestError } from "./session.js";
import { language, texts } from "./texts.js";

/**
 * Start the dialog: with the session that the shop's page created, or with a new session of a button key.
 *
 * @param {DOMStringMap} page
 */
async function start(page) {
  loadCountries(page.countries ?? "{}");
  const session = page.session || (await offsiteSession(page));
  await new Dialog(session, page.parent ?? "").start();
}

/**
 * The session of an offsite page; a reload continues the stored one until its end has been shown (klarna.md §7).
 *
 * @param {DOMStringMap} page
 * @returns {Promise<string>}
 */
async function offsiteSession({ buttonKey = "", locale }) {
  const name = `${buttonKey}:${locale}`;
  const known = readStored(name);
  if (known && (await canContinue(known))) return known;
  const setup = { key: buttonKey, instance_id: "offsite" };
  const options = locale ? { setup, locale } : { setup };
  const { session_id } = await ask("sessions", { options, page_url: location.href });
  store(name, session_id);
  return session_id;
}

/**
 * @param {string} session
 * @returns {Promise<boolean>} false if the server does not have it any more
 */
async function canContinue(session) {
  if (readStored(`ended:${session}`) !== null) return false;
  try {
    await ask(`sessions/${encodeURIComponent(session)}`);
    return true;
  } catch (error) {
    if (error instanceof RequestError && error.status === 404) return false;
    throw error;
  }
}

start(document.body.dataset).catch(async (error) => {
  const code = language(document.body.dataset.locale);
  const t = await texts(code);
  document.documentElement.lang = code;
  byId("step").textContent = error.status === 404 ? t("gone") : t("unreachable");
  byId("step").setAttribute("role", "alert");
  const { session = "", parent = "" } = document.body.dataset;
  new ParentPage(parent, session).send("ready"); // the shopper can read this and close the dialog
});
