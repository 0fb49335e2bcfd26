"""The README's samples, run as they stand."""

import re
import subprocess
import sys
import time

from tests.plugins.services import ROOT
from tools.setup import node_command

README = (ROOT / "README.md").read_text()


def sample(language, *, containing):
    """Return the README's one code block of a language that contains a text."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    (found,) = [block for block in blocks if containing in block]
    return found


def lines_printed(command, *, cwd, wanted, within_s=15):
    """Run a program that never ends, and return what it printed once that has `wanted` in it."""
    log = cwd / "output.txt"
    with log.open("wb") as output:
        child = subprocess.Popen(command, cwd=cwd, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        try:
            deadline_s = time.monotonic() + within_s
            while wanted not in log.read_text() and child.poll() is None and time.monotonic() < deadline_s:
                time.sleep(0.05)
        finally:
            child.kill()
            child.wait()
    assert wanted in log.read_text(), log.read_text()
    return log.read_text().splitlines()


def test_the_python_sample_streams_ticks(server, tmp_path):
    code = sample("python", containing="import websocket").replace("tk_demo_…", server.issue_key("ann").secret)
    code = code.replace("ws://127.0.0.1:8080", server.ws_url)
    lines = lines_printed([sys.executable, "-u", "-c", code], cwd=tmp_path, wanted="XAUUSD ")
    assert '"type":"welcome"' in lines[0].replace(" ", "")
    assert lines[1] == "Auth: Authenticated successfully"
    assert '"totalSubscriptions":3' in lines[2].replace(" ", "")


def test_the_node_sample_streams_quotes_and_candles(server, tmp_path):
    code = sample("js", containing='require("ws")').replace("ws://127.0.0.1:8080", server.ws_url)
    (tmp_path / "sample.cjs").write_text(code)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    lines_printed([*node_command(), "sample.cjs"], cwd=tmp_path, wanted="event: 'quote'")


def test_the_snippet_of_the_first_start_streams_ticks(server, tmp_path):
    found = re.search(r"^\.venv/bin/python -c '\n.*?\n'$", server.log(), re.DOTALL | re.MULTILINE)
    assert found is not None, server.log()
    snippet = found[0].replace(".venv/bin/python", f"exec {sys.executable} -u")
    lines_printed(["sh", "-c", snippet], cwd=tmp_path, wanted='"type":"tick"')
