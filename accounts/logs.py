"""No secret in any log: keys and signatures are masked in what is logged, whoever logs it."""

import logging
import re

_SECRET = re.compile(
    r"(tk_(?:live|demo)_)[0-9A-Za-z]+|((?:sig|T8-SIG|WCX-SIG|apiKey|sessionid)\W{1,4})[\w+/=]{8,}", re.I
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
        record.msg, record.args = masked(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = masked(logging.Formatter().formatException(record.exc_info))
        return True


class OneLine(logging.Filter):
    """Shortens a library's traceback, repeated every second while a service is away, to the error's name."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[0] is not None:
            record.msg, record.args = f"{record.getMessage()} {record.exc_info[0].__name__}", ()
            record.exc_info = None
        return True
