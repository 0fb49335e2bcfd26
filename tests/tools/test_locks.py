"""The locks: is what is tested what is served?"""

import re

import pytest

from tools.setup import ROOT

PIN = re.compile(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)


def pins(name):
    return dict(PIN.findall((ROOT / "requirements" / f"{name}.txt").read_text()))


def test_the_test_lock_has_every_version_of_the_run_lock():
    assert pins("run").items() <= pins("test").items()


def test_what_is_installed_beside_the_tests_has_the_tests_versions():
    test = pins("test")
    assert [name for name, version in pins("bench").items() if test.get(name, version) != version] == []


@pytest.mark.parametrize("name", ["run", "test", "bench", "node", "lock"])
def test_every_package_is_pinned_with_hashes(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert entries
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
