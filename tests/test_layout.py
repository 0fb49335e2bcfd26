"""Does the house keep its order? Folders, sizes, and what must never be written into a file."""

import ast
import platform as standard_platform
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

# Where a package lies, and where the tests of its modules do.
PACKAGES = {
    "platform/config": "tests/config",
    "platform/engine": "tests/engine",
    "platform/market": "tests/market",
    "platform/trading": "tests/trading",
    "accounts": "tests/accounts",
    "streaming": "tests/streaming",
    "simulation": "tests/simulation",
}

# Modules without a test module of their own, each with the reason. Names count in every package.
WIRING = {
    "__init__": "says what the package is",
    "apps": "names the package to Django",
    "admin": "tables for Django's admin; the pages are opened in tests/journeys",
    "urls": "a table of paths; every path is called by its view's test",
    "routing": "a table of paths; every path is called by the journeys",
}
WITHOUT_OWN_TEST = {
    "platform/config/asgi.py": "puts the parts together; every journey goes through it",
    "platform/config/settings.py": "read by every test; what is computed in it is tested in tests/config/test_env.py",
    "platform/trading/sessions.py": "one call of psycopg; test_lease.py and test_journal.py go through it",
    "platform/market/live.py": "one object; engine.board's tests are its tests",
}

# Put together from pieces so that this file does not contain what it looks for.
FORBIDDEN_TEXT = {
    "a package registry's address": re.compile(r"pypi\.or" "g|pythonhosted\\.or" r"g|npmjs\.(?:or" "g|com)"),
    "a path of somebody's machine": re.compile(r"/(?:wor" r"k/(?:main|shared|steering|\.library)|farm)/|/home/[a-z]"),
    "a mark of unfinished work": re.compile(r"\b(?:TO" "DO|FIX" "ME|XX" "X|HA" r"CK)\b"),
}
BARE_IGNORE = re.compile(r"# type: ignor" r"e\s*$", re.MULTILINE)


def tracked_files() -> list[Path]:
    """Return the project's files: those that git knows or would take; in an exported tree, all that are there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    ignored = {".git", ".venv", "node_modules", "data", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not ignored & set(path.relative_to(ROOT).parts)]


FILES = tracked_files()
PICTURES = (".png",)
"""In which any letters may stand in a row by chance."""

SOURCES = [path for path in FILES if path.suffix == ".py" and "migrations" not in path.parts]
OWN_SOURCES = [path for path in SOURCES if path.relative_to(ROOT).parts[0] not in ("tests", "benchmarks")]


def modules() -> Iterator[tuple[Path, Path]]:
    """Yield every module that needs a test module, and where that belongs."""
    for package, tests in PACKAGES.items():
        for path in sorted((ROOT / package).rglob("*.py")):
            inside = path.relative_to(ROOT / package)
            if path.stem not in WIRING and not {"migrations", "management"} & set(inside.parts):
                yield path, ROOT / tests / inside.with_name(f"test_{inside.name}")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_platform_is_the_standard_librarys_module():
    assert not Path(standard_platform.__file__).is_relative_to(ROOT)
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_no_test_lives_in_the_platform_folder():
    assert not [relative(path) for path in (ROOT / "platform").rglob("test_*.py")]


@pytest.mark.parametrize(("module", "test"), [pytest.param(*pair, id=relative(pair[0])) for pair in modules()])
def test_every_module_has_its_test_module(module, test):
    if relative(module) in WITHOUT_OWN_TEST:
        assert not test.exists(), "it has one: take it off the list"
    else:
        assert test.exists(), f"expected {relative(test)}"


def test_every_script_for_the_browser_has_its_test():
    scripts = [path for path in FILES if path.suffix == ".js" and "static" in path.parts]
    assert not [relative(path) for path in scripts if not (ROOT / "tests" / "js" / f"{path.stem}.test.mjs").exists()]


def test_the_list_of_modules_without_tests_names_only_what_exists():
    assert not [name for name in WITHOUT_OWN_TEST if not (ROOT / name).exists()]


def test_every_folder_of_tests_is_a_package():
    folders = {path.parent for path in SOURCES if path.relative_to(ROOT).parts[0] == "tests"}
    assert not [relative(folder) for folder in folders if not (folder / "__init__.py").exists()]


def test_no_file_is_longer_than_the_mark():
    lengths = {relative(path): path.read_text().count("\n") for path in OWN_SOURCES}
    assert not {name: lines for name, lines in lengths.items() if lines > FILE_LINES_MAX}


def test_no_function_is_longer_than_the_mark():
    long = {}
    for path in OWN_SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines_of(node) > FUNCTION_LINES_MAX:
                long[f"{relative(path)}:{node.lineno} {node.name}"] = lines_of(node)
    assert not long


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return a function's length without its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function):
        lines -= (function.body[0].end_lineno or 0) - function.body[0].lineno + 1
    return lines


@pytest.mark.parametrize("what", FORBIDDEN_TEXT)
def test_no_file_contains(what):
    texts = {path: path.read_bytes().decode(errors="replace") for path in FILES if path.suffix not in PICTURES}
    assert not [relative(path) for path, text in texts.items() if FORBIDDEN_TEXT[what].search(text)]


def test_every_type_ignore_says_what_it_ignores():
    assert not [relative(path) for path in SOURCES if BARE_IGNORE.search(path.read_text())]
