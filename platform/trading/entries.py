"""How is an input kept as text, in the journal and between processes? JSON with every digit as it was."""

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.commands import COMMANDS, KINDS, Command, Input
from engine.values import Market


class _Envelope(msgspec.Struct):
    kind: str
    time_ms: int
    command: msgspec.Raw
    markets: dict[str, Market] = {}


_encoder = msgspec.json.Encoder()
_envelopes = msgspec.json.Decoder(_Envelope)
_commands: Mapping[str, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(command) for kind, command in COMMANDS.items()
}


def entry_text(entry: Input) -> str:
    """Return an input as JSON; numbers are text, with the places that they have.

    >>> from engine.commands import CancelOrder
    >>> from engine.values import AccountId
    >>> entry_text(Input(CancelOrder(account=AccountId("demo", 7), id="a1"), 1_700_000_000_000))
    '{"kind":"cancel_order","time_ms":1700000000000,"command":{"account":["demo",7],"id":"a1"},"markets":{}}'
    """
    command = entry.command
    return _encoder.encode(
        {"kind": KINDS[type(command)], "time_ms": entry.time_ms, "command": command, "markets": entry.markets}
    ).decode()


def entry_read(text: str) -> Input:
    """Return the input that a text stands for; raises `ValueError` for any other text."""
    envelope = _envelopes.decode(text)
    if envelope.kind not in _commands:
        raise ValueError(f"no such command: {envelope.kind}")
    command: Command = _commands[envelope.kind].decode(envelope.command)
    return Input(command, envelope.time_ms, envelope.markets)
