"""What do the protocols' documents say, as a page? The files of docs, rendered here, with this server's address."""

import re
from functools import lru_cache
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from streaming.samples import WRITTEN_ADDRESS

DOCUMENTS = {
    "tick_stream": "protocols/tick_stream.md",
    "event_stream": "protocols/event_stream.md",
    "errors": "errors.md",
}
"""Name in the address -> file in docs."""

_LINK = re.compile(rf"(?:\.\./)?(?:protocols/)?({'|'.join(DOCUMENTS)})\.md(#.*)?")


@lru_cache(maxsize=16)
def page(name: str, address: str) -> tuple[str, SafeString]:
    """Return a document's title and its HTML without that title."""
    text = (settings.BASE_DIR / "docs" / DOCUMENTS[name]).read_text().replace(WRITTEN_ADDRESS, address)
    title, _, rest = text.removeprefix("# ").partition("\n")
    markdown = _markdown()
    tokens = markdown.parse(rest)
    for token, following in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", slug(following.content))
    for token in tokens:
        for child in token.children or ():
            _lead_here(child)
    # Our own files, in which HTML is not read.
    return title, mark_safe(markdown.renderer.render(tokens, markdown.options, {}))  # noqa: S308


def slug(heading: str) -> str:
    """Return a heading's name in links, as code hosts make it.

    >>> slug("trading:quotes:[product]"), slug("Publish ticks")
    ('tradingquotesproduct', 'publish-ticks')
    """
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("fence", _code)
    markdown.add_render_rule("code_block", _code)
    markdown.add_render_rule("table_open", lambda *_: '<div class="wide" tabindex="0"><table>')
    markdown.add_render_rule("table_close", lambda *_: "</table></div>")
    return markdown


def _code(renderer: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    """Render a block of code; those of a conversation say who speaks."""
    _, _, side = tokens[index].info.partition(" ")
    caption = f"<figcaption>{escape(side)}</figcaption>" if side else ""
    return (
        f'<figure class="block">{caption}<pre tabindex="0"><code>{escape(tokens[index].content)}</code></pre></figure>'
    )


def _lead_here(token: Token) -> None:
    """Let a link between the files lead to the page of that file."""
    found = _LINK.fullmatch(str(token.attrGet("href") or ""))
    if found is not None:
        token.attrSet("href", f"/reference/{found[1]}{found[2] or ''}")
