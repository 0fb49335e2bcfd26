/** How does the page ask REST? JSON or an error in the server's words. */

export class RestError extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

/** Return the answer's JSON; `signal` (an AbortSignal) gives up. Raises `RestError` with words to show. */
export function getJson(path, {signal, fetch = globalThis.fetch} = {}) {
  return asked(fetch, path, {signal, headers: {Accept: "application/json"}});
}

/** The same for a call that changes something; the page's CSRF token goes with it. */
export function postJson(path, body, {fetch = globalThis.fetch, token = pageToken()} = {}) {
  const headers = {Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token};
  return asked(fetch, path, {method: "POST", headers, body: JSON.stringify(body)});
}

/** Every page of somebody who is logged in has the token, in the form that logs out. */
function pageToken() {
  return document.querySelector("[name=csrfmiddlewaretoken]").value;
}

async function asked(fetch, path, options) {
  const answer = await fetch(path, options).catch((error) => {
    if (options.signal?.aborted) throw error;
    throw new RestError("The server cannot be reached.", "unreachable");
  });
  if (answer.ok) return answer.json();
  const refusal = await answer.json().catch(() => ({}));
  throw new RestError(refusal.message ?? `The server answered ${answer.status}.`, refusal.code ?? "unknown");
}
