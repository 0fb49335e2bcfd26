"""Finding the browser of the browser tests."""

import pytest

from tools import chromium


def test_the_environment_names_it_first(monkeypatch):
    monkeypatch.setenv("CHROMIUM", "/opt/chromium")
    assert chromium.ensure() == "/opt/chromium"


def test_it_is_installed_where_that_is_possible(monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    installed = []
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(chromium, "_install", lambda: installed.append("now"))
    there = {"apt-get": lambda: True, "chromium-headless-shell": lambda: bool(installed)}
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}" if there.get(name, bool)() else None)
    assert chromium.ensure() == "/bin/chromium-headless-shell"


def test_a_machine_without_one_is_told_the_way_out(monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(chromium.ChromiumMissing, match="apt-get install chromium-headless-shell"):
        chromium.ensure()
