"""The locks: is what is tested what is served?"""

import re

import pytest

from tools.setup import ROOT

PIN = re.compile(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)


def pins(name):
    return dict(PIN.findall((ROOT / "requirements" / f"{name}.txt").read_text()))


def test_the_test_lock_has_every_version_of_the_run_lock():
    assert pins("run").items() <= pins("test").items()


@pytest.mark.parametrize("name", ["run", "test", "node", "lock"])
def test_every_package_is_pinned_with_hashes(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert entries
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
