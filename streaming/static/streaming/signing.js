/** How is the event stream's `auth` signed? Source: docs/protocols/event_stream.md, "Authenticate". */

/** Return `{key, sig, timestamp}`; `subtle` is the Web Crypto API, which browsers have on https and on localhost. */
export async function signedAuth({keyId, secret, nowMs, subtle}) {
  const bytes = (text) => new TextEncoder().encode(text);
  const key = await subtle.importKey("raw", bytes(secret), {name: "HMAC", hash: "SHA-256"}, false, ["sign"]);
  const digest = await subtle.sign("HMAC", key, bytes(`${nowMs}GET/ws-auth`));
  return {key: keyId, sig: btoa(String.fromCharCode(...new Uint8Array(digest))), timestamp: nowMs};
}
