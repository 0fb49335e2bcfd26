"""Compiles the load generator and the C server, once per state of their sources."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCES = Path(__file__).parent / "c"
FLAGS = ("-O2", "-Wall", "-Wextra")


class CompilerMissing(Exception):
    """What is needed, in a sentence."""


def program(name: str) -> Path:
    """Return the compiled `load` or `ceiling`; raises `CompilerMissing`."""
    target = _folder() / name
    if not target.exists():
        compiler = shutil.which(os.environ.get("CC", "cc"))
        if compiler is None:
            raise CompilerMissing(
                "The load generator is written in C and there is no C compiler: install one (Debian and Ubuntu, "
                "as root: apt-get install gcc libc6-dev) and run the same command again."
            )
        draft = target.with_suffix(".new")
        subprocess.run([compiler, *FLAGS, "-o", draft, SOURCES / f"{name}.c"], check=True)
        draft.rename(target)
    return target


def _folder() -> Path:
    """Return the folder of what these sources were compiled to; another state of them has another."""
    texts = b"".join(path.read_bytes() for path in sorted(SOURCES.iterdir()))
    folder = Path(tempfile.gettempdir()) / f"tickwire-bench-{os.getuid()}-{hashlib.sha256(texts).hexdigest()[:12]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
