"""Does the engine keep its promises whatever happens? Random, seeded, judged after every step; not part of the product.

    python -m simulation --help

See docs/simulation.md.
"""

import sys
from pathlib import Path

# platform/ is a folder of packages, not a package: see platform/README.md.
_PLATFORM = str(Path(__file__).resolve().parent.parent / "platform")
if _PLATFORM not in sys.path:
    sys.path.insert(1, _PLATFORM)
