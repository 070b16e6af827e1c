/** Dialogs with forms: the browser's own, which keep the focus and close with Escape. */

import { element, find } from "./elements.js";

/** @typedef {import("./elements.js").Json} Json */

/**
 * Open a dialog, in place of an open one; returns it. It is removed when it closes. The focus goes to its first field or button, and
 * back at the end. It is not shown if one with this title is open, after a second click on a slow network.
 * @param {string} title
 * @param {...Node} content
 */
export function openDialog(title, ...content) {
  const close = element("button.icon", { type: "button", "aria-label": "Close", click: () => dialog.close() }, "×");
  const head = element("header", {}, element("h2", { id: "dialog-title" }, title), close);
  const dialog = /** @type {HTMLDialogElement} */ (
    element("dialog", { "aria-labelledby": "dialog-title" }, head, ...content)
  );
  const status = find("#status");
  const open = /** @type {HTMLDialogElement|null} */ (document.querySelector("dialog[open]"));
  if (open?.querySelector("h2")?.textContent === title) {
    return dialog;
  }
  if (open) {
    document.body.append(status);
    open.close();
    open.remove();
  }
  const opener = /** @type {HTMLElement|null} */ (document.activeElement);
  dialog.addEventListener("close", () => {
    if (dialog.contains(status)) {
      document.body.append(status);
    }
    dialog.remove();
    const isLost = document.activeElement === document.body || document.activeElement === null;
    if (isLost && opener?.id) {
      document.getElementById(opener.id)?.focus({ preventScroll: true }); // it was drawn anew meanwhile
    }
  });
  let isBeside = false; // whether the press began beside the dialog: a selection of text may end there
  dialog.addEventListener("pointerdown", ({ clientX, clientY }) => {
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    isBeside = clientX < left || clientX > right || clientY < top || clientY > bottom;
  });
  dialog.addEventListener("click", (event) => event.target === dialog && isBeside && dialog.close());
  document.body.append(dialog);
  dialog.append(status); // what is outside of an open dialog is dimmed, and not read out
  dialog.showModal();
  const first = /** @type {HTMLElement|null} */ (dialog.querySelector(":is(input, select, textarea, button, a):not(header *)"));
  first?.focus();
  return dialog;
}

/**
 * A labelled field.
 * @param {string} label
 * @param {HTMLElement} input
 */
export function field(label, input) {
  return element("label.field", {}, element("span", {}, label), input);
}

/**
 * A field with choices; a choice is `[value, text]`.
 * @param {string} name
 * @param {[string, string][]} choices
 * @param {string} [selected]
 */
export function choice(name, choices, selected = "") {
  const made = choices.map(([value, text]) => element("option", { value, selected: value === selected }, text));
  return element("select", { name }, ...made);
}

/**
 * A button that deletes what cannot be brought back, and the form that it opens: the form says what is lost, and its button acts.
 * @param {string} label
 * @param {HTMLElement} lost
 * @param {string} action
 * @param {() => Promise<unknown>} act
 */
export function twoSteps(label, lost, action, act) {
  const form = formOf(action, act, lost);
  form.hidden = true;
  form.querySelector("button")?.classList.replace("primary", "danger");
  const click = () => {
    form.hidden = !form.hidden;
    opener.setAttribute("aria-expanded", String(!form.hidden));
  };
  const opener = element("button", { type: "button", "aria-expanded": "false", click }, label);
  return { opener, form };
}

/**
 * A box to tick before the thing that a field names is replaced: it is shown when `confirm` is called, until the field changes.
 * @param {HTMLElement} input
 */
export function consent(input) {
  const box = /** @type {HTMLInputElement} */ (element("input", { type: "checkbox" }));
  const text = element("span");
  const label = element("label.consent", { hidden: true }, box, text);
  /** @param {boolean} isAsked */
  const ask = (isAsked) => {
    label.hidden = !isAsked;
    box.required = isAsked;
    box.checked = false;
  };
  input.addEventListener("input", () => ask(false));
  /**
   * Raise an error unless the box is ticked.
   * @param {string} lost what is replaced
   */
  const confirm = (lost) => {
    const isConfirmed = box.checked;
    ask(!isConfirmed);
    if (!isConfirmed) {
      text.textContent = lost;
      box.focus();
      throw new Error("This name exists. Tick the box to replace what it has, or use another name.");
    }
  };
  return { label, confirm };
}

/**
 * A form that calls `send` with its values and shows what went wrong.
 * @param {string} action the text of the button
 * @param {(values: Json) => Promise<unknown>} send
 * @param {...Node} fields
 */
export function formOf(action, send, ...fields) {
  const button = /** @type {HTMLButtonElement} */ (element("button.primary", { type: "submit" }, action));
  const problem = element("p.error", { role: "alert" });
  const form = element("form", {}, ...fields, problem, element("div.buttons", {}, button));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && /** @type {HTMLElement} */ (event.target).matches("select")) {
      event.preventDefault(); // as in a text field; a select opens with the space bar
      button.click();
    }
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.textContent = "";
    button.disabled = true;
    try {
      await send(Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (form))));
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      button.disabled = false;
      if (document.activeElement === document.body) {
        button.focus(); // a button that is disabled loses the focus
      }
    }
  });
  return form;
}
