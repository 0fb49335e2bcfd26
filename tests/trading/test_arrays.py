"""Columns as PostgreSQL writes arrays; that PostgreSQL reads the same is shown in test_statements.py."""

import pytest

from trading.arrays import array_literal


@pytest.mark.parametrize(
    ("column", "literal"),
    [
        ([], "{}"),
        ([1, -2, 2**63 - 1], "{1,-2,9223372036854775807}"),
        ([None, None], "{NULL,NULL}"),
        ([1, None], "{1,NULL}"),
        (["plain"], '{"plain"}'),
        (["", "NULL", "null"], '{"","NULL","null"}'),
        ([None, "NULL"], '{NULL,"NULL"}'),
        (['a "quote"', "a \\ slash", "{a, brace}"], '{"a \\"quote\\"","a \\\\ slash","{a, brace}"}'),
        (["two\nlines", "a\ttab", "ä € 😀"], '{"two\nlines","a\ttab","ä € 😀"}'),
    ],
)
def test_a_column_is_an_array(column, literal):
    assert array_literal(column) == literal


@pytest.mark.parametrize("column", [["a\0b"], ["\0"], [None, "a\0b"], ["a", "\0", "b"]])
def test_a_nul_is_refused(column):
    with pytest.raises(ValueError, match="NUL"):
        array_literal(column)
