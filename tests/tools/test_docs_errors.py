"""The printed registry of codes."""

from tools import docs_errors


def test_the_page_in_docs_is_what_the_registry_prints():
    assert docs_errors.PAGE.read_text() == docs_errors.page(), "run: make docs-errors"
