/** Calls of the documented endpoints. */

import { sentText } from "./elements.js";

/** @typedef {import("./elements.js").Json} Json */

/** An answer that is an error; the message has everything that the server says about it. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  toString() {
    return this.message; // without "Error: "
  }
}

/**
 * Return the path of an endpoint with a query; parameters without a value are left out.
 * @param {string} path
 * @param {Json} parameters
 */
export function withQuery(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return query ? `${path}?${query}` : path;
}

/**
 * Call an endpoint and return its JSON; raises `ApiError`. A body that is a text is JSON already.
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {string} [authorization]
 * @returns {Promise<Json>}
 */
export async function call(method, path, body, authorization) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  if (authorization) {
    headers.Authorization = authorization;
  }
  const sent = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const fail = () => {
    throw new ApiError(0, "The server does not answer.");
  };
  const answer = await fetch(path, { method, headers, body: sent, credentials: "omit", cache: "no-store" }).catch(fail);
  const text = await answer.text().catch(fail);
  const data = parsed(text);
  if (!answer.ok) {
    const errors = data.errors ?? (await explained(answer.headers.get("Mock-Klarna-Explanation")));
    throw new ApiError(answer.status, `${answer.status}: ${described({ ...data, errors }) || text.slice(0, 500)}`);
  }
  return data;
}

/**
 * The problems in the journal entry of a request that one of Klarna's APIs refused: its answer names a member, and no more.
 * @param {string|null} url
 * @returns {Promise<Json[]>}
 */
async function explained(url) {
  if (!url) {
    return [];
  }
  const entry = await call("GET", new URL(url, location.href).pathname).catch(() => ({ problems: [] }));
  return entry.problems ?? [];
}

/**
 * @param {string} text
 * @returns {Json}
 */
function parsed(text) {
  try {
    return text ? JSON.parse(text) : {};
  } catch {
    return {};
  }
}

/**
 * What an error body says, in the formats of the control API and of Klarna's APIs.
 * @param {Json} data
 */
function described(data) {
  const errors = Array.isArray(data.errors) ? data.errors : [];
  const details = errors.map((each) => `${each.path || "the body"}: ${sentText(each, "sent ", ", ")}expected ${each.expected}`);
  const messages = data.error_messages ?? [data.detail ?? data.error_message ?? data.title ?? ""];
  const isSaid = errors.some((each) => data.hint === each.expected || data.hint === `expected ${each.expected}`);
  return [...messages, ...details, isSaid ? "" : data.hint].filter(Boolean).join("; ");
}

/**
 * Return the header of HTTP Basic authentication.
 * @param {string} user
 * @param {string} password
 */
export function basic(user, password) {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
