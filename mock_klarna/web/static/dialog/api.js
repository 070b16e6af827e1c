/** @typedef {import("./types.js").Problem} Problem */

/** An answer that is not what was asked for. `status` is 0 when the server could not be reached. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} said
   * @param {Problem[]} problems
   */
  constructor(status, said, problems = []) {
    super(said);
    this.status = status;
    this.problems = problems;
  }
}

const SDK = new URL("../../sdk/", import.meta.url);

/**
 * Ask the server: GET without a body, POST with one. Throws `Refusal`.
 *
 * @param {string} path below `/instantshopping/sdk/`, or from the root where it begins with a slash
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
export async function ask(path, body) {
  const answer = await send(path, body);
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(answer.status, String(said.detail ?? answer.status), said.errors);
  return said;
}

/**
 * @param {string} path
 * @param {unknown} body
 * @returns {Promise<Response>}
 */
async function send(path, body) {
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  try {
    return await fetch(new URL(path, SDK), body === undefined ? {} : post);
  } catch {
    throw new Refusal(0, "unreachable");
  }
}
