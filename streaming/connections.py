"""What does an administrator see of a connection, and which ones does a search find?"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from streaming.dialects.event_stream import channel_name
from streaming.session import Endpoint, Session
from streaming.sink import Sink
from streaming.traffic import UNKNOWN, Traffic, traffic_of

MAX_NAMED = 20
"""Channels named of one connection, which may have 8,000."""

MAX_FOUND = 200
"""Connections that one process tells of at once: about 80 KB; a narrower search reaches the others."""

PAGES, UNDECIDED = "pages", "undecided"
"""Streams that are no dialect: pages of this server, and who has not said anything yet at the bare address."""

ORDERS = ("waiting", "since", "events", "conflated", "sent")


class View(msgspec.Struct):
    """One connection. `key_id` is the API key's, `""` for a browser or nobody; `events` are numbered ones.

    `held`: events and replies that wait here because the client reads too slowly; `waiting_bytes` wait in buffers.
    """

    id: str
    stream: str
    address: str
    since_ms: int
    user_id: int
    user: str
    key_id: str
    generation: int
    subscriptions: int
    channels: list[str]
    events: int
    conflated: int
    held: int
    sent_bytes: int | None
    waiting_bytes: int | None

    def text(self) -> str:
        """Return what a search looks at."""
        return " ".join((self.user, self.address, self.stream, self.key_id, *self.channels)).lower()


class Visible:
    """A connection as the watch asks it; the consumer is one, and sets these."""

    _member: str
    _endpoint: Endpoint
    _address: str
    _since_ms: int
    _session: Session
    _sink: Sink
    _direct: Any
    _ended: bool

    @property
    def ended(self) -> bool:
        """Tell whether it is being closed; the client may take its time to answer that."""
        return self._ended

    @property
    def member(self) -> str:
        return self._member

    @property
    def stream(self) -> str:
        return stream_of(self._endpoint, self._session)

    @property
    def conflated(self) -> int:
        return self._sink.conflated

    def view(self) -> View:
        """Return what an administrator sees of this connection."""
        traffic = UNKNOWN if self._direct is None else traffic_of(self._direct.transport)
        return view_of(
            self._session, self._sink, traffic,
            member=self._member, stream=self.stream, address=self._address, since_ms=self._since_ms,
        )  # fmt: skip


class Query(msgspec.Struct):
    """`words`: of each, one of its spellings has to be found. `stream`: one only, `""` for all."""

    words: list[list[str]] = []
    stream: str = ""
    order: str = ORDERS[0]


class Found(msgspec.Struct):
    """`count` connections match, of which the first are `views`."""

    count: int
    views: list[View]


def stream_of(endpoint: Endpoint, session: Session) -> str:
    """Return which stream a connection is on, as the overview counts them."""
    if endpoint.browser:
        return PAGES
    return UNDECIDED if session.dialect is None else session.dialect.name


def view_of(
    session: Session, sink: Sink, traffic: Traffic, *, member: str, stream: str, address: str, since_ms: int
) -> View:
    who = session.proven
    names = [channel_name(channel, interval_ms) for channel, interval_ms in list(session.channels.items())[:MAX_NAMED]]
    return View(
        id=member,
        stream=stream,
        address=address,
        since_ms=since_ms,
        user_id=who.user_id if who else 0,
        user=who.username if who else "",
        key_id=who.key_id if who else "",
        generation=who.generation if who else 0,
        subscriptions=len(session.channels),
        channels=names,
        events=sink.sequence,
        conflated=sink.conflated,
        held=sink.held,
        sent_bytes=traffic.sent_bytes,
        waiting_bytes=traffic.waiting_bytes,
    )


def matches(view: View, query: Query) -> bool:
    if query.stream and view.stream != query.stream:
        return False
    text = view.text()
    return all(any(spelling in text for spelling in word) for word in query.words)


def sorted_views(views: Iterable[View], order: str) -> list[View]:
    """Return the views, the most telling first; `since`: the newest first."""
    keys: dict[str, Any] = {
        "waiting": lambda view: (view.held, view.waiting_bytes or 0, view.since_ms),
        "since": lambda view: view.since_ms,
        "events": lambda view: view.events,
        "conflated": lambda view: view.conflated,
        "sent": lambda view: view.sent_bytes or 0,
    }
    return sorted(views, key=keys.get(order, keys[ORDERS[0]]), reverse=True)


def first_of(views: Sequence[View], query: Query) -> Found:
    """Return what one process tells of those that match."""
    return Found(len(views), sorted_views(views, query.order)[:MAX_FOUND])


def together(found: Iterable[Found], order: str) -> Found:
    """Return what all processes found, in one list."""
    parts = list(found)
    views = sorted_views((view for part in parts for view in part.views), order)
    return Found(sum(part.count for part in parts), views[:MAX_FOUND])
