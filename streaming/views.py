"""The live page."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_required
def live(request: HttpRequest) -> HttpResponse:
    """Show the page; everything on it comes over REST and the streams."""
    return render(request, "live.html")
