"""Compiling the load generator: what is said where that is impossible."""

import pytest

from benchmarks.fanout import build


def test_a_missing_compiler_is_told_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(build.CompilerMissing, match=r"there is no C compiler: install one .*apt-get install gcc"):
        build.program("load")


def test_what_is_compiled_already_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda name: None)
    (build._folder() / "load").touch()
    assert build.program("load").name == "load"


def test_other_sources_are_compiled_into_another_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(build, "SOURCES", tmp_path / "c")
    build.SOURCES.mkdir()
    (build.SOURCES / "load.c").write_text("int main(void) { return 0; }")
    before = build._folder()
    (build.SOURCES / "load.c").write_text("int main(void) { return 1; }")
    assert build._folder() != before
