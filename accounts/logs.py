"""No secret in any log: keys and signatures are masked in what is logged, whoever logs it."""

import logging
import re

from django.core.exceptions import PermissionDenied

# A secret of ours by its form; any other by the name before it, through quotes of JSON in JSON and of Python's bytes.
_SECRET = re.compile(
    r"(tk_(?:live|demo)_)[0-9A-Za-z]+|((?:sig|apiKey|sessionid|Bearer)\W{1,8}(?:b['\"])?)[\w+/=.%-]{8,}", re.I
)


def masked(text: str) -> str:
    """Return the text without secrets.

    >>> masked("refused tk_live_bDxZN96N")
    'refused tk_live_***'
    """
    return _SECRET.sub(lambda match: (match[1] or match[2]) + "***", text)


class MaskSecrets(logging.Filter):
    """Rewrites a record's message, arguments and exception before any handler sees them."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = masked(_message(record)), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        # Another handler may have written it already, as it was.
        record.exc_text = masked(record.exc_text) if record.exc_text else None
        record.stack_info = masked(record.stack_info) if record.stack_info else None
        return True


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        # Somebody's wrong log call; raised from a filter, it would end whatever was being done.
        return f"{record.msg} {record.args}"


class OneLine(logging.Filter):
    """Shortens a library's traceback, repeated every second while a service is away, to the error's name."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[0] is not None:
            record.msg, record.args = f"{record.getMessage()} {record.exc_info[0].__name__}", ()
            record.exc_info = None
        return True


class RefusalsInOneLine(logging.Filter):
    """Takes the traceback off a page that somebody may not open: a refusal is no error of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[0] is not None and issubclass(record.exc_info[0], PermissionDenied):
            record.exc_info = None
        return True
