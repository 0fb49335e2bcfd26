"""The pages: live prices, how to connect a program, and what the streams say."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.errors import CLOSES
from streaming import reference as documents
from streaming.samples import SAMPLES


@login_required
def live(request: HttpRequest) -> HttpResponse:
    """Show the page; everything on it comes over REST and the streams."""
    return render(request, "live.html")


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
