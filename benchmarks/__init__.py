"""Measurements: run them by hand; what they last said is in `results/`."""

import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parent.parent / "platform"))
