/** The settings of the server: those that were set come first. */

import { call } from "./api.js";
import { openDialog } from "./dialogs.js";
import { element } from "./elements.js";
import { table } from "./refusals.js";

/** @typedef {import("./elements.js").Json} Json */

/** Where a value comes from. @type {Record<string, (setting: Json) => string>} */
const SOURCES = {
  default: () => "default",
  file: () => "configuration file",
  environment: ({ variable }) => variable,
  flag: () => "flag",
  program: () => "program that started the server",
};

export async function showSettings() {
  const { settings } = await call("GET", "/_mock/settings");
  const given = settings.filter((/** @type {Json} */ setting) => setting.source !== "default");
  const others = settings.filter((/** @type {Json} */ setting) => setting.source === "default");
  const dialog = openDialog(
    "Settings in force",
    element("p", {}, given.length ? `${given.length} of ${settings.length} were set. Passwords are not shown.` : "Every setting has its default."),
    table(["Setting", "Value", "From", "Meaning"], [...given, ...others].map(row)),
  );
  dialog.classList.add("wide");
}

/** @param {Json} setting */
function row(setting) {
  const { flag, value, source, help } = setting;
  const shown = Array.isArray(value) ? value.join(", ") : String(value);
  return element(
    source === "default" ? "tr" : "tr.given",
    {},
    element("th", { scope: "row" }, flag),
    element("td", {}, shown || "–"),
    element("td", {}, SOURCES[source](setting)),
    element("td", {}, help),
  );
}
