"""The life of a key, over sockets and REST, against a real server."""

import base64
import hashlib
import hmac
import sqlite3
import time
import urllib.error
from pathlib import Path

import pytest

from tests.journeys.clients import Client, event_client, tick_client


def signature(secret, timestamp_ms, method="GET", path="/ws-auth", body=b""):
    """Sign as the event stream's document says, written apart from the server's own code."""
    payload = f"{timestamp_ms}{method}{path}".encode() + body
    return base64.b64encode(hmac.new(secret.encode(), payload, hashlib.sha256).digest()).decode()


def auth_fields(key, *, secret=None, offset_ms=0):
    timestamp_ms = int(time.time() * 1000) + offset_ms
    return {"key": key.id, "sig": signature(secret or key.secret, timestamp_ms), "timestamp": timestamp_ms}


def refused(server, secret):
    """Return the code with which a bearer key is refused over the socket and over REST."""
    client = Client(server.ws_url + "/ws/ticks")
    client.next()
    code = client.ask({"type": "auth", "apiKey": secret})["code"]
    with pytest.raises(urllib.error.HTTPError) as answer:
        server.get("/trading/quotes/EUR-USD", {"Authorization": f"Bearer {secret}"})
    assert f'"code":"{code}"' in answer.value.read().decode().replace(" ", "")
    return code


def test_a_signature_authenticates_once(server):
    key = server.issue_key()
    auth = auth_fields(key)
    message = {"type": "subscribe", "channels": ["trading:quotes:EUR-USD", "trading:positions"], "auth": auth}
    with Client(server.ws_url) as client:
        client.next()
        assert client.ask(message)["channels"] == message["channels"]
        assert client.ask(message)["type"] == "subscribed"  # the same auth on its own connection is a no-op
        with Client(server.ws_url) as thief:
            thief.next()
            assert thief.ask(message)["code"] == "signature_reused"


def test_a_hex_signature_is_accepted_and_a_wrong_one_is_not(server):
    key = server.issue_key()
    auth = auth_fields(key)
    auth["sig"] = base64.b64decode(auth["sig"]).hex()
    with event_client(server, "trading:balances_demo", auth=auth):
        pass
    with Client(server.ws_url + "/ws/events") as client:
        wrong = {"type": "subscribe", "channels": [], "auth": auth_fields(key, secret="x")}
        assert client.ask(wrong)["code"] == "invalid_signature"


@pytest.mark.parametrize("offset_ms", [-31_000, 31_000])
def test_a_timestamp_outside_the_window_names_the_servers_clock(server, offset_ms):
    key = server.issue_key()
    with Client(server.ws_url + "/ws/events") as client:
        message = {"type": "subscribe", "channels": [], "auth": auth_fields(key, offset_ms=offset_ms)}
        reply = client.ask(message)
    assert reply["code"] == "timestamp_out_of_window"
    assert abs(reply["serverTime"] - time.time() * 1000) < 5_000
    assert abs(abs(reply["driftMs"]) - 31_000) < 5_000


def test_wrong_revoked_expired_and_misplaced_keys_are_refused_with_their_codes(server):
    good = server.issue_key()
    flipped = good.secret[:-1] + ("a" if good.secret[-1] != "a" else "b")
    assert refused(server, flipped) == "invalid_key"
    assert refused(server, server.issue_key("bob", "--expires", "2020-01-01T00:00:00Z").secret) == "key_expired"
    assert refused(server, server.issue_key("bob", "--cidr", "10.0.0.0/8").secret) == "address_not_allowed"
    revoked = server.issue_key()
    server.manage("revoke_key", revoked.id)
    assert refused(server, revoked.secret) == "key_revoked"


def test_scopes_and_environments_are_kept_apart(server):
    reader = server.issue_key("ann", "--scope", "read", "--env", "demo")
    with Client(server.ws_url + "/ws/ticks") as client:
        client.next()
        assert client.ask({"type": "auth", "apiKey": reader.secret})["code"] == "scope_denied"
    with Client(server.ws_url + "/ws/events") as client:
        live = {"type": "subscribe", "channels": ["trading:orders"], "auth": auth_fields(reader)}
        assert client.ask(live)["code"] == "environment_denied"
        demo = {"type": "subscribe", "channels": ["trading:orders_demo"], "auth": auth_fields(reader, offset_ms=1)}
        assert client.ask(demo)["type"] == "subscribed"
    marketer = server.issue_key("ann", "--scope", "market")
    with Client(server.ws_url + "/ws/events") as client:
        private = {"type": "subscribe", "channels": ["trading:orders"], "auth": auth_fields(marketer)}
        assert client.ask(private)["code"] == "scope_denied"
    with tick_client(server, marketer.secret) as client:
        tick = ["EURUSD", 1.1, 1.2, int(time.time() * 1000)]
        assert client.ask({"type": "publish", "ticks": [tick]})["code"] == "scope_denied"


def test_revoking_a_key_closes_its_sockets_within_a_second_and_no_others(server):
    key, other = server.issue_key(), server.issue_key()
    doomed = [tick_client(server, key.secret), event_client(server, "trading:orders", auth=auth_fields(key))]
    survivor = tick_client(server, other.secret)
    revoked_s = _revoke(server, key)
    for client in doomed:
        assert client.closed(within_s=2) == (4010, "access_revoked")
    assert time.monotonic() - revoked_s < 1
    assert survivor.ask({"type": "list"})["symbols"] == []


def _revoke(server, key):
    """Revoke in another process; return when its transaction was committed (or a little before)."""
    started_s = time.monotonic()
    server.manage("revoke_key", key.id)
    # The command's start-up is not the revocation: what remains after its end counts, and half a second of it.
    return max(started_s, time.monotonic() - 0.5)


def test_one_connection_too_many_is_refused_and_the_older_ones_live_on(server):
    key = server.issue_key()
    clients = [tick_client(server, key.secret) for _ in range(20)]
    late = Client(server.ws_url + "/ws/ticks")
    late.next()
    assert late.ask({"type": "auth", "apiKey": key.secret})["code"] == "too_many_connections"
    assert late.closed() == (4029, "too_many_connections")
    clients.pop().ws.close()
    time.sleep(0.3)
    clients.append(tick_client(server, key.secret))
    assert all(client.ask({"type": "list"})["symbols"] == [] for client in clients)


def test_the_secret_is_in_no_file_of_the_server(server):
    key = server.issue_key()
    with tick_client(server, key.secret), event_client(server, "trading:orders", auth=auth_fields(key)):
        pass
    assert key.secret not in server.log()
    folder = Path(server.env["DATA_DIR"])
    for file in folder.rglob("*"):
        if file.is_file():
            assert key.secret.encode() not in file.read_bytes(), file
    database = folder / "tickwire.sqlite3"
    if database.exists():
        dump = "\n".join(sqlite3.connect(database).iterdump())
        assert key.id.replace("-", "") in dump.replace("-", "")
        assert key.secret not in dump
