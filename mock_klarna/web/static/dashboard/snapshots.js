/** Snapshots under names: save the state, load it again, load it as another merchant, delete. */

import { currentView } from "./address.js";
import { call, withQuery } from "./api.js";
import { choice, consent, field, formOf, openDialog, twoSteps } from "./dialogs.js";
import { announce, counted, element } from "./elements.js";

/** @typedef {import("./elements.js").Json} Json */

/** @param {string} name */
function pathOf(name) {
  return `/_mock/snapshots/${encodeURIComponent(name)}`;
}

/**
 * @param {() => void} reload shows what there is now
 * @param {(merchant: string) => void} follow shows a merchant
 */
export async function keepSnapshots(reload, follow) {
  const { merchant } = currentView();
  const kept = element("div", { "aria-live": "polite" });
  const input = element("input", { name: "name", required: true, maxlength: 64, autocomplete: "off" });
  const replacing = consent(input);
  const load = async () => (await call("GET", "/_mock/snapshots")).snapshots;
  const show = async () => {
    const snapshots = await load();
    const rows = snapshots.map((/** @type {Json} */ about) => row(about, { reload: done, follow: forked, show }));
    kept.replaceChildren(rows.length ? element("ul.kept", {}, ...rows) : element("p.none", {}, "none yet"));
  };
  const done = () => [dialog.close(), reload()];
  /** @param {string} name */
  const forked = (name) => [dialog.close(), follow(name)];
  const dialog = openDialog(
    "Snapshots",
    formOf(
      "Save",
      async ({ name }) => {
        if (name.startsWith(".")) {
          throw new Error("A name begins with a letter or a digit"); // and `..` would be another path
        }
        const earlier = (await load()).find((/** @type {Json} */ about) => about.name === name);
        if (earlier) {
          replacing.confirm(`Replace ${name}, ${savedAt(earlier)}`);
        }
        await call("PUT", withQuery(pathOf(name), { merchant }));
        announce(`The state was saved as ${name}`);
        await show();
      },
      field(`Save the state of ${merchant || "all merchants"} as`, input),
      replacing.label,
    ),
    element("h3", {}, "Saved"),
    kept,
  );
  await show();
}

/** @param {Json} about */
function savedAt({ created_at }) {
  return `${created_at.slice(0, 16).replace("T", " ")} UTC`;
}

/**
 * @param {Json} about
 * @param {{reload: () => unknown, follow: (merchant: string) => unknown, show: () => Promise<void>}} after
 */
function row(about, after) {
  const { name, merchants, bytes } = about;
  const owners = merchants.length === 1 ? merchants[0] : `${merchants.length} merchants`;
  const when = `${savedAt(about)}, ${Math.ceil(bytes / 1000)} kB`;
  const fork = forkForm(about, after.follow);
  const showFork = () => {
    fork.hidden = !fork.hidden;
    /** @type {HTMLElement | null} */ (fork.querySelector("select, input"))?.focus();
  };
  const loading = twoSteps("Load", element("p", {}, `What happened to ${owners} since then is deleted.`), `Load ${name}`, async () => {
    await call("POST", `${pathOf(name)}/load`);
    announce(`${name} was loaded: the state of ${owners} is as it was then`);
    after.reload();
  });
  const deleting = twoSteps("Delete", element("p", {}, "The snapshot cannot be loaded any more."), `Delete ${name}`, async () => {
    await call("DELETE", pathOf(name));
    announce(`${name} was deleted`);
    await after.show();
  });
  loading.opener.setAttribute("aria-label", `Load ${name}…`);
  deleting.opener.setAttribute("aria-label", `Delete ${name}…`);
  const forking = element("button", { type: "button", "aria-label": `Fork ${name}`, click: showFork }, "Fork");
  return element(
    "li",
    {},
    element("strong", {}, name),
    element("span.none", {}, `${owners}, ${when}`),
    element("div.buttons", {}, loading.opener, merchants.length ? forking : null, deleting.opener),
    loading.form,
    fork,
    deleting.form,
  );
}

/**
 * A form that loads a snapshot as another merchant; of several merchants in it one is chosen.
 * @param {Json} about
 * @param {(merchant: string) => unknown} follow
 */
function forkForm({ name, merchants }, follow) {
  const { merchant } = currentView();
  const chosen = merchants.includes(merchant) ? merchant : merchants[0];
  const choices = merchants.map((/** @type {string} */ each) => [each, each]);
  const source = field("Of the snapshot, the state of", choice("source", choices, chosen));
  const input = element("input", { name: "target", required: true, autocomplete: "off" });
  const replacing = consent(input);
  const fork = formOf(
    "Fork",
    async (/** @type {Json} */ { source: from = chosen, target }) => {
      const [known] = (await call("GET", withQuery("/_mock/merchants", { merchant: target }))).merchants;
      if (known) {
        replacing.confirm(`Replace the state of ${target}: ${counted(known.purchases, "purchase")} and all else that it has are deleted`);
      }
      await call("POST", withQuery(`${pathOf(name)}/load`, { merchant: from }), { as_merchant: target });
      announce(`${target} has the state of ${from} now`);
      follow(target);
    },
    ...(merchants.length > 1 ? [source] : []),
    field(`New merchant with ${merchants.length > 1 ? "this state" : `the state of ${chosen}`}`, input),
    replacing.label,
  );
  fork.hidden = true;
  return fork;
}
