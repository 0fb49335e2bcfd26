"""Where is the Chromium of the browser tests? `$CHROMIUM`, the PATH, or (as root on Debian) installed now."""

import os
import shutil
import subprocess

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PACKAGE = "chromium-headless-shell"


class ChromiumMissing(Exception):
    """No browser: one sentence with the way out."""


def find() -> str | None:
    """Return the path of a Chromium that is there already."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


def ensure() -> str:
    """Return the path of a Chromium, installing it where that is possible; raises `ChromiumMissing`."""
    found = find()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _install()
        found = find()
    if found is None:
        raise ChromiumMissing(
            f"the browser tests need Chromium: install it (Debian, as root: apt-get install {PACKAGE}) "
            "or set CHROMIUM to its path"
        )
    return found


def _install() -> None:
    print(f"installing {PACKAGE} …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", PACKAGE],
    ):
        # Where a package list is out of reach, the install may still succeed: `ensure` looks at what came of it.
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
