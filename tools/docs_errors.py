"""Write `docs/errors.md`, the list of error codes and close codes, from the registry in `accounts/errors.py`."""

from accounts.errors import CLOSES, ERRORS
from tools.setup import ROOT

PAGE = ROOT / "docs" / "errors.md"

HEAD = """# Errors and close codes

Written by `make docs-errors` from `accounts/errors.py`; a test keeps the two equal.

Every refusal carries a `code` from this list, the same on both WebSocket dialects and on REST. A code never changes
its meaning; the text beside it may.

| code | REST status | usual text |
| --- | --- | --- |
"""

CLOSES_HEAD = """
## Close codes

The reason text is sent with the code. "Come back" says whether a client should connect again by itself.

| close code | reason | come back |
| --- | --- | --- |
"""


def page() -> str:
    """Return the page's text."""
    errors = "".join(f"| `{code}` | {meaning.http_status} | {meaning.message} |\n" for code, meaning in ERRORS.items())
    closes = "".join(
        f"| {close.code} | `{close.reason}` | {'yes' if close.reconnect else 'no'} |\n" for close in CLOSES
    )
    return HEAD + errors + CLOSES_HEAD + closes


if __name__ == "__main__":
    PAGE.write_text(page())
