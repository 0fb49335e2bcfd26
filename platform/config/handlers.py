"""What an unknown address and a bug are answered with: words for a browser, the registry's code for a program."""

from django.http import HttpRequest, HttpResponseBase, HttpResponseNotFound, JsonResponse
from django.template.loader import render_to_string
from django.views import defaults

from accounts.errors import ERRORS, Code


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    # Without the request: an address that is none is worth no query for who asks, in a thread of its own at that.
    return HttpResponseNotFound(render_to_string("404.html")) if _for_a_person(request) else _coded(Code.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponseBase:
    return defaults.server_error(request) if _for_a_person(request) else _coded(Code.INTERNAL_ERROR)


def _for_a_person(request: HttpRequest) -> bool:
    """Tell a browser's navigation from a program's call, which accepts anything but asks for no page."""
    return "text/html" in request.headers.get("Accept", "")


def _coded(code: Code) -> JsonResponse:
    meaning = ERRORS[code]
    return JsonResponse({"message": meaning.message, "code": str(code)}, status=meaning.http_status)
