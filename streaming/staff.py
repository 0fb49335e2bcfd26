"""What administrators see of what is running: open connections, which they may end, and ticks that were refused.

No table is behind these pages: every process is asked when one is opened. The overview moves by itself, over the event
stream (`admin:overview`).
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.decorators import permission_required
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path

from accounts.errors import Refused
from accounts.models import ApiKeyGeneration, User
from streaming import live
from streaming.connections import MAX_FOUND, ORDERS, PAGES, UNDECIDED, Found, Query, View, together
from streaming.dialects import EVENT_STREAM, TICK_STREAM
from streaming.peers import Answers

STREAMS = {EVENT_STREAM.name: "event stream", TICK_STREAM.name: "tick stream", PAGES: PAGES, UNDECIDED: UNDECIDED}
"""Streams as the figures count them, and as people read them."""

MAX_WORDS = 5
MAX_WORD = 64
"""Characters of a word that is looked for: an id and some more."""

MAX_KEYS = 20
"""Keys whose last four characters are the word that is looked for: four of 36 letters are rarely twice the same."""

MAX_ENDED = 100
"""Connections ended by one click: as many as fit on a screen or two."""

SEE, END, SEE_REFUSALS = "accounts.view_connections", "accounts.end_connections", "accounts.view_refusals"


# ---- connections


@permission_required(SEE, raise_exception=True)
def connections(request: HttpRequest) -> HttpResponse:
    """Show the open connections of all processes; a POST ends the selected ones."""
    if request.method == "POST":
        end_selected(request)
        return HttpResponseRedirect(request.get_full_path())
    query = query_of(request.GET.get("q", ""), request.GET.get("stream", ""), request.GET.get("order", ""))
    answers = _asked(request, "connections", query=msgspec.to_builtins(query))
    parts = [msgspec.convert(answer, Found) for answer in answers.given.values() if answer is not None]
    found = together(parts, query.order)
    context = {
        "title": "Connections",
        "rows": _rows(found.views),
        "count": found.count,
        "most": MAX_FOUND,
        "silent": answers.silent,
        "q": request.GET.get("q", ""),
        "stream": query.stream,
        "order": query.order,
        "streams": STREAMS.items(),
        "orders": ORDERS,
        "may_end": request.user.has_perm(END),
    }
    return render(request, "admin/connections.html", {**admin.site.each_context(request), **context})


def query_of(text: str, stream: str, order: str) -> Query:
    """Return what is looked for; four characters may be the end of a key's secret."""
    words = [word[:MAX_WORD].lower() for word in text.split()[:MAX_WORDS]]
    return Query(
        words=[[word, *_keys_ending(word)] for word in words],
        stream=stream if stream in STREAMS else "",
        order=order if order in ORDERS else ORDERS[0],
    )


def _keys_ending(word: str) -> list[str]:
    word = word.removeprefix("…")
    if len(word) != 4 or not word.isalnum():
        return []
    keys = ApiKeyGeneration.objects.filter(last_four__iexact=word).values_list("key__public_id", flat=True)
    return [str(key) for key in keys[:MAX_KEYS]]


def _rows(views: Iterable[View]) -> list[dict[str, Any]]:
    """Return what the page shows of each connection; of its key, the end of the secret that opened it."""
    views = list(views)
    ids = {view.key_id for view in views if view.key_id}
    generations = ApiKeyGeneration.objects.filter(key__public_id__in=ids)
    endings = {
        (str(key), number): last_four
        for key, number, last_four in generations.values_list("key__public_id", "number", "last_four")
    }
    now_ms = _now_ms()
    return [
        {
            "view": view,
            "stream": STREAMS[view.stream],
            "numbered": view.stream in (EVENT_STREAM.name, PAGES),
            "key": endings.get((view.key_id, view.generation), ""),
            "since": datetime.fromtimestamp(view.since_ms / 1000, UTC),
            "open_s": max(0, (now_ms - view.since_ms) // 1000),
            "more": view.subscriptions - len(view.channels),
        }
        for view in views
    ]


def end_selected(request: HttpRequest) -> None:
    """Close the selected connections, wherever they are, and note it in the history of whose they were."""
    if not request.user.has_perm(END):
        raise PermissionDenied
    ids = request.POST.getlist("id")[:MAX_ENDED]
    answers = _asked(request, "end", ids=ids)
    ended = [msgspec.convert(view, View) for found in answers.given.values() for view in found or ()]
    for view in ended:
        _note(request, view)
    if ended:
        messages.success(request, f"{len(ended)} ended. Programs that obey the close code 4011 do not come back.")
    if len(ended) < len(ids):
        messages.warning(request, f"{len(ids) - len(ended)} were not open any more.")


def _note(request: HttpRequest, view: View) -> None:
    assert isinstance(request.user, User)
    owner = User.objects.filter(pk=view.user_id).first()
    LogEntry.objects.create(
        user=request.user,
        content_type=ContentType.objects.get_for_model(User) if owner else None,
        object_id=str(owner.pk) if owner else None,
        object_repr=(view.user or "a connection without a name")[:200],
        action_flag=CHANGE,
        change_message=f"Ended the connection {view.id} ({view.stream}) from {view.address}"
        + (f", key {view.key_id}" if view.key_id else ""),
    )


# ---- refused ticks


@permission_required(SEE_REFUSALS, raise_exception=True)
def refusals(request: HttpRequest) -> HttpResponse:
    """Show which ticks the feed refused since its start: counts of all, and the last of them."""
    answers = _asked(request, "refusals")
    told = next((answer for answer in answers.given.values() if answer is not None), None)
    product, code = request.GET.get("product", ""), request.GET.get("code", "")
    counts, recent = (told["counts"], told["recent"]) if told else ([], [])
    context = {
        "title": "Refused ticks",
        "feed": told is not None,
        "accepted": told["accepted"] if told else 0,
        "total": sum(count for *_, count in counts),
        "counts": [entry for entry in counts if _wanted(entry[0], entry[1], product, code)],
        "recent": [_refusal(entry) for entry in recent if _wanted(entry[1], entry[3], product, code)],
        "products": sorted({entry[0] for entry in counts}),
        "codes": sorted({entry[1] for entry in counts}),
        "product": product,
        "code": code,
    }
    return render(request, "admin/refusals.html", {**admin.site.each_context(request), **context})


UNKNOWN = "?"
"""Stands for the products that nobody knows, in a filter."""


def _wanted(product: str, code: str, only_product: str, only_code: str) -> bool:
    return only_product in ("", product or UNKNOWN) and only_code in ("", code)


def _refusal(entry: list[Any]) -> dict[str, Any]:
    names = ("time_ms", "product", "named", "code", "bid", "ask", "tick_ms", "source")
    fields = dict(zip(names, entry, strict=True))
    return {**fields, "time": datetime.fromtimestamp(fields["time_ms"] / 1000, UTC)}


# ---- both


def _asked(request: HttpRequest, what: str, **fields: Any) -> Answers:
    """Ask every process, on this one's loop (views run in threads)."""
    try:
        return async_to_sync(live.ask)(what, **fields)
    except Refused as refused:
        messages.error(request, f"{refused.code}: {refused.message}")
        return Answers()


def _now_ms() -> int:
    return round(datetime.now(UTC).timestamp() * 1000)


urlpatterns: list[URLPattern] = [
    path("connections/", admin.site.admin_view(connections), name="staff-connections"),
    path("refusals/", admin.site.admin_view(refusals), name="staff-refusals"),
]
"""Below `admin/`."""
