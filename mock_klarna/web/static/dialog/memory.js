/**
 * What this browser tab keeps under a name; null when it keeps nothing, which some browsers never do for frames.
 *
 * @param {string} name
 * @returns {string | null}
 */
export function recall(name) {
  try {
    return sessionStorage.getItem(`mock-klarna:${name}`);
  } catch {
    return null;
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
export function remember(name, value) {
  try {
    sessionStorage.setItem(`mock-klarna:${name}`, value);
  } catch {
    // a tab that keeps nothing begins anew, which is no loss
  }
}
