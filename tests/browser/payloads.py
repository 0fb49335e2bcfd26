"""Forty texts that try to become script, each with the careless hole through which it would.

Each sets `top.ran` when it runs. `test_payloads.py` first puts every one into its hole, where it does run, and then
into everything that anybody can write.
"""

from collections.abc import Mapping
from urllib.parse import quote

RAN = "() => top.ran"
"""Evaluated in a page: what a payload that ran has left there."""

_HTML = "<p>HERE</p>"
_QUOTED, _SINGLE, _BARE = '<input value="HERE">', "<input value='HERE'>", "<input value=HERE>"
_LINK = '<a href="HERE">x</a>'
_STRING, _COMMENT, _TEMPLATE = (
    f"<script>{code}</script>" for code in ('const name = "HERE"', "// HERE", "const name = `HERE`")
)

_TEXT = "<script type=text id=it>HERE</script>"
_USE = _TEXT + "<div id=to></div><script>const text = it.textContent, write = (html) => to.innerHTML = html;%s</script>"
"""The text reaches a script unharmed, which then does something careless with it."""

_MUSTACHE = _USE % "eval(text.match(/^{{(.*)}}$/)[1])"
_DECODED = _USE % "write(decodeURIComponent(text))"
_MARKDOWN = _USE % "write(text.replace(/\\[(.*)\\]\\((.*)\\)/, '<a href=$2>$1</a>'))"
_TWICE = "<div id=to>HERE</div><script>to.innerHTML = to.textContent</script>"

HOLES: Mapping[str, str] = {
    # an element, where text goes into a page as it is
    "<script>top.ran=1</script>": _HTML,
    "<ScRiPt/x>top.ran=1</sCrIpT >": _HTML,
    "<svg><script>top.ran=1</script>": _HTML,
    "<math></p><script>top.ran=1</script>": _HTML,
    "<a href=javascript:top.ran=1>x</a>": _HTML,
    "<button formaction=javascript:top.ran=1>": "<form>HERE</form>",
    "<iframe src=javascript:top.ran=1>": _HTML,
    "<iframe srcdoc='<svg onload=top.ran=1>'>": _HTML,
    # an event handler
    "<img src=x onerror=top.ran=1>": _HTML,
    "<img/src/onerror=top.ran=1//": _HTML,
    "<svg onload=top.ran=1>": _HTML,
    "<svg><animate onbegin=top.ran=1 dur=1s>": _HTML,
    "<math><style><img src onerror=top.ran=1>": _HTML,
    "<details open ontoggle=top.ran=1>": _HTML,
    "<body onload=top.ran=1>": _HTML,
    "<input autofocus onfocus=top.ran=1>": _HTML,
    "<video><source onerror=top.ran=1>": _HTML,
    # CSS
    "<style onload=top.ran=1></style>": _HTML,
    "</style><script>top.ran=1</script>": "<style>p::after { content: 'HERE' }</style>",
    # the way out of what stands around it
    "</title><script>top.ran=1</script>": "<title>HERE</title>",
    "</textarea><script>top.ran=1</script>": "<textarea>HERE</textarea>",
    "--><script>top.ran=1</script>": "<!-- HERE -->",
    '"><script>top.ran=1</script>': _QUOTED,
    "'><svg/onload=top.ran=1>": _SINGLE,
    '" autofocus onfocus="top.ran=1': _QUOTED,
    "x autofocus onfocus=top.ran=1": _BARE,
    # an address
    "javascript:top.ran=1": _LINK,
    "JaVa\tScRiPt:top.ran=1": _LINK,
    "\x01javascript:top.ran=1": _LINK,
    # a script's own text, JSON in a page
    "</script><script>top.ran=1</script>": '<script type=application/json>{"name": "HERE"}</script>',
    '";top.ran=1;"': _STRING,
    "\u2028top.ran=1//": _COMMENT,
    # a template language
    "${top.ran=1}": _TEMPLATE,
    "{{top.ran=1}}": _MUSTACHE,
    "{{constructor.constructor('top.ran=1')()}}": _MUSTACHE,
    # Markdown
    "[x](javascript:top.ran=1)": _MARKDOWN,
    # spelled so that only a decoder sees it
    "%3Cimg src=x onerror=top.ran=1%3E": _DECODED,
    "&lt;img src=x onerror=top.ran=1&gt;": _TWICE,
    # Unicode: right to left, and full width, which is ASCII again once normalised
    "\u202e<img src=x onerror=top.ran=1>": _HTML,
    "\uff1cimg src=x onerror=top.ran=1\uff1e": _USE % "write(text.normalize('NFKC'))",
}
PAYLOADS = tuple(HOLES)

WITH_NUL = "<img src=\0 onerror=top.ran=1>"
"""Runs as HTML, and is refused wherever somebody writes: no field takes a NUL."""


def in_its_hole(payload: str) -> str:
    """Return a page that is careless with a payload.

    >>> in_its_hole("javascript:top.ran=1")
    '<!doctype html><body><a href="javascript:top.ran=1">x</a>'
    """
    return "<!doctype html><body>" + HOLES.get(payload, _HTML).replace("HERE", payload)


def quoted(payload: str) -> str:
    """Return a payload as it stands in an address."""
    return quote(payload, safe="")
