"""Trading hours: weekly periods in UTC, and whether a moment is inside one (pure)."""

import re

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_MIN = 24 * 60
WEEK_MIN = 7 * DAY_MIN
_EPOCH_WEEKDAY_MIN = 3 * DAY_MIN  # 1 January 1970 was a Thursday

_PERIOD = re.compile(r"(\w{3}) (\d\d):(\d\d)-(\w{3}) (\d\d):(\d\d)", re.ASCII)

READY_MADE = {
    "forex": "Sun 22:00-Fri 22:00",
    "metals": "Sun 23:00-Fri 22:00",
    "indices": "Sun 23:00-Fri 22:00",
    "stocks": ",".join(f"{day} 14:30-{day} 21:00" for day in DAYS[:5]),
    "crypto": "",
}
"""Group -> usual hours, in UTC without summer time; what `manage.py market_hours usual` applies."""

Hours = tuple[tuple[int, int], ...]
"""Periods as minutes of the week from Monday 00:00, end exclusive; empty: always."""


def parse_hours(text: str) -> Hours:
    """Return the periods of a text; raises `ValueError` that names the wrong one.

    >>> parse_hours("Sun 22:00-Fri 22:00")
    ((9960, 7080),)
    """
    periods = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _PERIOD.fullmatch(part)
        if match is None or match[1] not in DAYS or match[4] not in DAYS:
            raise ValueError(f"{part!r} is not a period such as Sun 22:00-Fri 22:00")
        start, end = _minute(match[1], match[2], match[3]), _minute(match[4], match[5], match[6])
        if start is None or end is None or start == end:
            raise ValueError(f"{part!r} is not a period such as Sun 22:00-Fri 22:00")
        periods.append((start, end))
    return tuple(periods)


def is_open(hours: Hours, time_ms: int) -> bool:
    """Tell whether a moment is within the hours; a period may run over the end of the week.

    >>> is_open(parse_hours("Sun 22:00-Fri 22:00"), 1577829600065)  # a Tuesday
    True
    """
    if not hours:
        return True
    minute = (time_ms // 60_000 + _EPOCH_WEEKDAY_MIN) % WEEK_MIN
    return any(start <= minute < end if start < end else minute >= start or minute < end for start, end in hours)


def _minute(day: str, hour: str, minute: str) -> int | None:
    if int(hour) > 23 or int(minute) > 59:
        return None
    return DAYS.index(day) * DAY_MIN + int(hour) * 60 + int(minute)
