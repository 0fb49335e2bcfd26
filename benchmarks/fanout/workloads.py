"""What is measured: how many connections, what is published, and whom it is asked of."""

from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["flow", "late", "burst", "stalled", "private", "connect", "at once", "memory"]
"""Which figures of a run are of interest (`tables.py` has a table for each)."""

ALL = ("tickwire", "plain", "starlette", "picows", "ceiling")
"""Every server; a workload names those of which the question can be asked."""


@dataclass(frozen=True, slots=True)
class Workload:
    """`command` is the publisher's; each connection subscribes to `each` of the `products`.

    `workers` counts the processes that serve, where there is a Valkey between them and the feed. `plain` and `ceiling`
    name the workload whose A and H it is compared with, where that is another one.
    """

    name: str
    title: str
    command: str
    connections: int
    kind: Kind = "flow"
    peers: tuple[str, ...] = ALL
    stream: Literal["tick", "event"] = "tick"
    products: int = 1
    each: int = 1
    expect: int = 0
    stalled: int = 0
    at_once: int = 64
    total: int = 0
    workers: int = 1
    plain: str = ""
    ceiling: str = ""


W1 = Workload("W1", "500 clients of one product, one tick per turn of the event loop", "max 1 1", 500)
W1X16 = Workload("W1x16", "the same in bursts of 16", "max 16 1", 500, plain="W1")  # A is at its best there
W1R = Workload(
    "W1r", "500 clients, 1,000 ticks/s: 500,000 deliveries/s asked for", "rate 1000 1", 500,
    peers=("tickwire", "starlette", "picows", "ceiling"), plain="W1",
)  # fmt: skip
W2 = Workload("W2", "100 clients, 100 ticks/s: how late is a tick?", "rate 100 1", 100, kind="late")
W3 = Workload(
    "W3", "1,000 clients, 50 products at 20 ticks/s, 5 of them each: 100,000 deliveries/s", "rate 20 50", 1000,
    products=50, each=5,
)  # fmt: skip

WORKLOADS = (
    W1,
    W1X16,
    W1R,
    W2,
    W3,
    replace(W1, name="E1", title=f"event stream: {W1.title}", stream="event", peers=("tickwire",), plain="W1",
            ceiling="W1"),
    replace(W1X16, name="E1x16", title=f"event stream: {W1X16.title}", stream="event", peers=("tickwire",),
            ceiling="W1x16"),
    Workload(
        "burst", "300 ticks back to back to 100 clients", "burst 300", 100, kind="burst", expect=300,
    ),
    Workload("flow", "100 clients, 2,000 ticks/s, all of them read", "rate 2000 1", 100, kind="stalled",
             peers=("tickwire",)),
    Workload("stalled", "the same with 20 of the 100 that do not read", "rate 2000 1", 100, kind="stalled",
             peers=("tickwire",), stalled=20),
    Workload("private", "a private event every 5 ms beside 500,000 deliveries/s", "private 1000 1", 501,
             kind="private", stream="event", peers=("tickwire",)),
    replace(W2, name="V2", title="through Valkey: 100 clients, 100 ticks/s", peers=("tickwire", "tickwire-valkey")),
    replace(W1R, name="V1r", title="through Valkey: 500 clients, 1,000 ticks/s", peers=("tickwire-valkey",),
            ceiling="W1r"),
    Workload("limit", "how much the load itself takes: the C server, 100 ticks in every write", "max 100 1", 500,
             peers=("ceiling",)),
    Workload("connect", "connect, authenticate, subscribe: 16 at a time", "stop", 16, kind="connect", at_once=16,
             total=1500),
    Workload("storm", "500 at once: until all are subscribed", "stop", 500, kind="at once", at_once=500),
    Workload("memory", "2,000 idle subscribed connections", "stop", 2000, kind="memory"),
)  # fmt: skip
