"""The requests of the vendor's public Python client (python-trade8), made by our own code, byte for byte.

It signs what stands behind `trading` in the path, puts parameters into the query string of a POST too, sends no body,
and says `?demo=true` on every authenticated call.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

Send = Callable[[str, str, Mapping[str, str]], Any]
"""Method, path with its query string, and headers in; the answer's JSON out."""


@dataclass
class PublicClient:
    """`prefix`: the headers' (the client has had both). `now_ms` is its clock."""

    send: Send
    now_ms: Callable[[], int]
    key: str = ""
    secret: str = ""
    demo: bool = True
    prefix: str = "WCX"

    # ---- private

    def get_positions(self):
        return self._request("GET", "/trading/positions", auth=True)

    def close_position(self, identifier):
        return self._request("POST", "/trading/trade/close", {"id": identifier}, auth=True)

    def call(self, method, endpoint, **params):
        """Make any authenticated call the way it makes those two."""
        return self._request(method, endpoint, params, auth=True)

    # ---- public

    def get_products(self, product=""):
        return self._request("GET", f"/trading/products/{product}")

    def get_quotes(self, products):
        return self._request("GET", f"/trading/quotes/{','.join(products)}")

    def get_candles(self, product, resolution, **params):
        return self._request("GET", f"/trading/candles/{product}/{resolution}", params)

    def _request(self, method, endpoint, params=None, *, auth=False):
        query = [*([("demo", "true")] if auth and self.demo else []), *(params or {}).items()]
        path = f"{endpoint}?{urlencode(query)}" if query else endpoint
        return self.send(method, path, self._proof(method, path) if auth else {})

    def _proof(self, method, path):
        stamp = str(self.now_ms())
        message = stamp + method + path.split("trading")[1]
        digest = hmac.new(self.secret.encode(), message.encode(), hashlib.sha256).digest()
        signature = base64.b64encode(digest).decode()
        names = (f"{self.prefix}-{name}" for name in ("APIKEY", "TIMESTAMP", "SIG"))
        return dict(zip(names, (self.key, stamp, signature), strict=True))
