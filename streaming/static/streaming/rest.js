/** How does the page ask REST? JSON or an error in the server's words. */

export class RestError extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

/** Return the answer's JSON; `signal` (an AbortSignal) gives up. Raises `RestError` with words to show. */
export async function getJson(path, {signal, fetch = globalThis.fetch} = {}) {
  const answer = await fetch(path, {signal, headers: {Accept: "application/json"}}).catch((error) => {
    if (signal?.aborted) throw error;
    throw new RestError("The server cannot be reached.", "unreachable");
  });
  if (answer.ok) return answer.json();
  const refusal = await answer.json().catch(() => ({}));
  throw new RestError(refusal.message ?? `The server answered ${answer.status}.`, refusal.code ?? "unknown");
}
