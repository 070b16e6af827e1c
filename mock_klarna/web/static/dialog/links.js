import { element } from "./elements.js";

/**
 * The URL in full when a browser may be sent there: http or https, absolute; null for anything else, `javascript:` above all.
 *
 * @param {unknown} url
 * @returns {string | null}
 */
export function safeUrl(url) {
  if (typeof url !== "string") return null;
  try {
    const parsed = new URL(url);
    return parsed.protocol === "https:" || parsed.protocol === "http:" ? parsed.href : null;
  } catch {
    return null;
  }
}

/**
 * A link that opens beside the shop, or the plain text when its URL is none to follow.
 *
 * @param {unknown} url
 * @param {string} text
 * @returns {HTMLElement}
 */
export function link(url, text) {
  const href = safeUrl(url);
  return href ? element("a", { href, target: "_blank", rel: "noopener noreferrer" }, text) : element("span", {}, text);
}
