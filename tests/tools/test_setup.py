"""Setting up: what is told when something is in the way. (That it works is shown by this test running at all.)"""

import subprocess
import sys

import pytest

from tools import setup


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project folder of its own, so that nothing here touches the real `.venv`."""
    (tmp_path / "requirements").mkdir()
    for name in ("run", "test"):
        (tmp_path / "requirements" / f"{name}.txt").write_text("")
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(setup, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(setup, "LOG", tmp_path / ".setup.log")
    return tmp_path


def test_a_missing_venv_module_is_told_with_the_way_out(folder, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(setup.SetupFailed, match=r"venv module is missing.*apt-get install python3\.\d+-venv"):
        setup.ensure_environment("run")


def test_a_python_too_old_is_told_with_the_way_out(monkeypatch):
    monkeypatch.setattr(setup, "OLDEST_PYTHON", (9, 0))
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(setup.SetupFailed, match=r"is too old: install Python 3\.11 or newer"):
        setup.ensure_python()


@pytest.mark.parametrize(
    "words",
    [
        "WARNING: Retrying after connection broken by 'NewConnectionError(...)'\nERROR: No matching distribution",
        "npm error code EAI_AGAIN\nnpm error syscall getaddrinfo",
    ],
)
def test_a_missing_network_is_told_as_such(folder, words):
    command = [sys.executable, "-c", f"print({words!r}); raise SystemExit(1)"]
    with pytest.raises(setup.SetupFailed, match="does not reach its package index"):
        setup._told("installing", command)


def test_any_other_failure_is_told_in_the_tools_last_words(folder):
    command = [sys.executable, "-c", "print('ERROR: no space left'); raise SystemExit(1)"]
    with pytest.raises(setup.SetupFailed, match=r"no space left.*see \.setup\.log"):
        setup._told("installing", command)


def test_it_installs_once_and_again_only_after_the_lock_changed(folder, monkeypatch):
    done = []
    monkeypatch.setattr(setup, "_told", lambda what, command: done.append(what))
    setup.VENV.mkdir()
    setup._ensure_packages("run")
    setup._ensure_packages("run")
    assert len(done) == 1
    (folder / "requirements" / "run.txt").write_text("django==5.2")
    setup._ensure_packages("run")
    assert len(done) == 2


def test_what_is_set_up_to_measure_is_set_up_to_test_and_to_run(folder, monkeypatch):
    done = []
    monkeypatch.setattr(setup, "_told", lambda what, command: done.append(what))
    (folder / "requirements" / "bench.txt").write_text("")
    setup.VENV.mkdir()
    setup.ensure_environment("bench")
    setup.ensure_environment("test")
    setup.ensure_environment("run")
    assert [what.rpartition("/")[2] for what in done if "packages" in what] == ["test.txt", "bench.txt"]


def test_what_is_set_up_to_test_is_set_up_to_run(folder, monkeypatch):
    done = []
    monkeypatch.setattr(setup, "_told", lambda what, command: done.append(what))
    setup.VENV.mkdir()
    setup._ensure_packages("test")
    setup._ensure_packages("run")
    assert len(done) == 1


def test_an_unknown_profile_is_one_sentence_and_no_traceback():
    ended = subprocess.run([sys.executable, setup.__file__, "nonsense"], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("tickwire: say which of run, test, bench, lock")
    assert ended.stderr.count("\n") == 1


def test_an_old_node_is_passed_over_for_the_wheel(monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(setup, "_major_version", lambda node: 12)
    monkeypatch.setattr(setup, "_node_wheel", lambda: tmp_path)
    assert setup.node_command() == [str(tmp_path / "bin" / "node")]
    assert setup.npm_command()[0] == str(tmp_path / "bin" / "node")
