/** signing.js: the event stream's auth. */

import assert from "node:assert/strict";
import {createHmac, webcrypto} from "node:crypto";
import {test} from "node:test";

import {signedAuth} from "../../streaming/static/streaming/signing.js";

test("it signs as the document says", async () => {
  const given = {keyId: "8b6bcdc6", secret: "tk_demo_x", nowMs: 1511027890939, subtle: webcrypto.subtle};
  const sig = createHmac("sha256", "tk_demo_x").update("1511027890939GET/ws-auth").digest("base64");
  assert.deepEqual(await signedAuth(given), {key: "8b6bcdc6", sig, timestamp: 1511027890939});
});
