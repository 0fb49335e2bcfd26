"""How REST reads a JSON body: with the streams' strict reader, so that numbers from outside have one parser."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from accounts.errors import Code, Refused
from streaming.dialects.json_text import read_object


class StrictJSONParser(BaseParser):
    """A JSON object; fractions become `Decimal`. Raises `Refused`: INVALID_JSON, INVALID_NUMBER."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            text = stream.read().decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(Code.INVALID_JSON, "The body is not UTF-8") from None
        return read_object(text)
