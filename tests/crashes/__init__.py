"""Crash trials: servers are killed under load, and their clients find out what was lost (docs/crashes.md)."""

import sys
from pathlib import Path

# What `manage.py` and pytest do: see platform/README.md.
_PLATFORM = str(Path(__file__).parent.parent.parent / "platform")
if _PLATFORM not in sys.path:
    sys.path.insert(1, _PLATFORM)
