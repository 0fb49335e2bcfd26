"""What an unknown address and a bug are answered with: words for a browser, the registry's code for a program."""

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views import defaults

from accounts.errors import ERRORS, Code


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return defaults.page_not_found(request, exception) if _for_a_person(request) else _coded(Code.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponseBase:
    return defaults.server_error(request) if _for_a_person(request) else _coded(Code.INTERNAL_ERROR)


def _for_a_person(request: HttpRequest) -> bool:
    """Tell a browser's navigation from a program's call, which accepts anything but asks for no page."""
    return "text/html" in request.headers.get("Accept", "")


def _coded(code: Code) -> JsonResponse:
    meaning = ERRORS[code]
    return JsonResponse({"message": meaning.message, "code": str(code)}, status=meaning.http_status)
