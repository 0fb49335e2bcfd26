"""Does docs/rest.md say what the server does? Its blocks are called in order, and it names every call."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.trading.callers import JSON, Caller
from tests.trading.engines import CLOSED_MS, OPENED_MS, given_quote

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "rest.md").read_text()

CONVERSATION = re.compile(
    r"^```json call (GET|POST) (\S+)\n(.*?)^```\n\n(?:[^\n]+\n)*?\n*^```json answer ?(\d*)\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CALL = re.compile(r"(GET|POST) (/[^ `?\n]+)")


@dataclass
class Reader:
    """Reads the page aloud; the ids that it invents stand for those that the server makes."""

    caller: Caller
    meant: dict[str, str] = field(default_factory=dict)

    def call(self, method, path, body):
        path, body = self._real(path), self._real(body)
        if method == "GET":
            return self.caller.get(path, headers=self.caller.proof)
        return self.caller.post(path, body.strip(), content_type=JSON, headers=self.caller.proof)

    def hear(self, shown, heard):
        """Return the answer with the page's ids in place of its own."""
        for page_id, real_id in zip(UUID.findall(shown), UUID.findall(heard), strict=True):
            assert self.meant.setdefault(page_id, real_id) == real_id
        return UUID.sub(lambda match: self._invented(match[0]), heard)

    def _real(self, text):
        return UUID.sub(lambda match: self.meant[match[0]], text)

    def _invented(self, real_id):
        return next(page_id for page_id, known in self.meant.items() if known == real_id)


def test_the_page_is_what_the_server_says(ann, engine):
    def close():
        engine.now_ms = CLOSED_MS
        given_quote("1.26995", "1.27000")

    def update():
        engine.now_ms = OPENED_MS

    before = {"/trading/trade/update": update, "/trading/trade/close": close}
    reader = Reader(Caller(ann))
    conversations = CONVERSATION.findall(PAGE)
    assert len(conversations) == PAGE.count("```json call") == PAGE.count("```json answer")
    for method, path, body, status, answer in conversations:
        before.get(path.partition("?")[0], lambda: None)()
        response = reader.call(method, path, body)
        assert response.status_code == int(status or 200), (path, response.content)
        heard = reader.hear(answer, response.content.decode())
        assert list(pairs(heard)) == list(pairs(answer)), path


def pairs(text):
    """Yield all names and values of a JSON text in their order."""
    yield json.loads(text, object_pairs_hook=lambda fields: fields)


@pytest.fixture(scope="module")
def calls():
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return {(method.upper(), path) for path, methods in schema["paths"].items() for method in methods}


def test_the_page_names_every_call(calls):
    named = {(method, re.sub(r":(\w+)", r"{\1}", path.rstrip("/")) + "/") for method, path in CALL.findall(PAGE)}
    assert calls <= named
    assert named <= calls
