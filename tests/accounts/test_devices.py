"""What is a browser called, that says only its user agent?"""

import pytest

from accounts.devices import device_name

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (CHROME, "Chrome on Windows"),
        (SAFARI, "Mobile Safari on iOS"),
        ("curl/8.14.1", "curl"),
        ("", "Unknown browser"),
        ("\0<script>", "Unknown browser"),
        ("x" * 200, "Unknown browser"),
    ],
)
def test_browser_and_system_are_named(agent, name):
    assert device_name(agent) == name
