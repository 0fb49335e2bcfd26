"""Who calls REST in the tests of trading."""

import json
from urllib.parse import urlencode

from django.test import Client

from accounts.services import api_key_create

JSON = "application/json"
DOCUMENT = {"product": "EUR-USD", "side": "buy", "type": "market", "leverage": "300", "amount": 1000000}
"""The document's order, as a trader asks for it."""

PENDING = {**DOCUMENT, "type": "pending", "price": "1.26"}


class Caller(Client):
    """Somebody with a key; calls are about the demo account unless told otherwise."""

    def __init__(self, user, **rights):
        super().__init__()
        _, secret = api_key_create(user=user, **{"scopes": ["read", "trade"], **rights})
        self.proof = {"Authorization": f"Bearer {secret}"}

    def read(self, path, status=200, *, demo=True, **params):
        query = urlencode({**({"demo": "true"} if demo else {}), **params})
        return self.answer(self.get(f"/trading/{path}?{query}", headers=self.proof), status)

    def ask(self, action, body, status=200, *, query="demo=true", content_type=JSON, path="/trading/trade/"):
        text = json.dumps(body) if content_type == JSON else urlencode(body)
        address = f"{path}{action}?{query}"
        return self.answer(self.post(address, text, content_type=content_type, headers=self.proof), status)

    def place(self, body=DOCUMENT, **how):
        return json.loads(self.ask("new", body, **how))["id"]

    def refusal(self, action, body, status, **how):
        answer = json.loads(self.ask(action, body, status, **how))
        assert list(answer)[:2] == ["message", "code"]
        return answer["code"]

    @staticmethod
    def answer(response, status):
        text = response.content.decode()
        assert response.status_code == status, text
        assert response["Content-Type"] == JSON
        return text


class Browser(Client):
    """A browser with somebody's session, which sends its CSRF token."""

    def __init__(self, user):
        super().__init__(enforce_csrf_checks=True)
        self.force_login(user)
        self.get("/keys/")

    @property
    def proof(self):
        return {"X-CSRFToken": self.cookies["csrftoken"].value}

    def reset(self, **headers):
        return self.post("/account/demo/reset", headers={**self.proof, **headers})
