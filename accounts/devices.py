"""What is a browser called, that says only its user agent?"""

from ua_parser import parse


def device_name(user_agent: str) -> str:
    """Return browser and system in words.

    >>> device_name("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    'Firefox on Linux'
    >>> device_name("")
    'Unknown browser'
    """
    found = parse(user_agent)
    browser = found.user_agent.family if found.user_agent else "Unknown browser"
    return f"{browser} on {found.os.family}" if found.os else browser
