#!/usr/bin/env python
"""Hand a command line over to Django."""

import os
import sys
from pathlib import Path

# platform/ is a folder of packages, not a package: see platform/README.md.
sys.path.insert(1, str(Path(__file__).parent / "platform"))

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    from config.env import SettingInvalid

    try:
        execute_from_command_line(sys.argv)
    except SettingInvalid as invalid:
        sys.exit(f"tickwire: {invalid}")
    except KeyboardInterrupt:
        sys.exit(130)
