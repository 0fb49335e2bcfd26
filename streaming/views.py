"""The pages: live prices, how to connect a program, and what the streams say."""

import posixpath
import re
from pathlib import Path

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page

from accounts.errors import CLOSES
from streaming import reference as documents
from streaming.samples import SAMPLES

_STATIC = Path(__file__).parent / "static"
_IMPORT = re.compile(r'\bfrom "(\.{1,2}/[\w./-]+)"')


def imported(folder: Path, name: str, known: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return a module and whatever it imports, each once."""
    known += (name,)
    for other in _IMPORT.findall((folder / name).read_text()):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), other))
        if path not in known:
            known = imported(folder, path, known)
    return known


MODULES = [
    *(f"streaming/{name}" for name in imported(_STATIC / "streaming", "live.js")),
    "vendor/lightweight-charts/lightweight-charts.standalone.production.mjs",
]
"""What the page imports, asked for at once: else each module would be asked for only when another one names it."""


@login_required
@gzip_page
def live(request: HttpRequest) -> HttpResponse:
    """Show the page; everything on it comes over REST and the streams.

    Compressed: its one secret, the CSRF token, is masked anew in every answer, and no text of a caller is beside it.
    """
    return render(request, "live.html", {"modules": MODULES})


@login_required
def connect(request: HttpRequest) -> HttpResponse:
    """Show the console, and clients with this server's address in them."""
    address = _address(request)
    samples = [{"sample": sample, "text": sample.text(address)} for sample in SAMPLES]
    closes = {close.code: {"reason": close.reason, "reconnect": close.reconnect} for close in CLOSES}
    return render(request, "connect.html", {"address": address, "samples": samples, "closes": closes})


def reference(request: HttpRequest, name: str) -> HttpResponse:
    """Show one of the documents."""
    if name not in documents.DOCUMENTS:
        raise Http404
    title, html = documents.page(name, _address(request))
    return render(request, "reference.html", {"title": title, "html": html})


def _address(request: HttpRequest) -> str:
    """Return this server's address as the reader's programs reach it."""
    return f"{'wss' if request.is_secure() else 'ws'}://{request.get_host()}"
