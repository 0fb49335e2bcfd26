"""Does the consumer do whatever a session may ask of it?"""

import ast
import inspect
from typing import get_args

from streaming import consumers
from streaming.effects import Effect


def cases_of(name):
    """Return the classes that a method of the consumer has a case for."""
    source = ast.parse(inspect.getsource(consumers))
    (method,) = [node for node in ast.walk(source) if getattr(node, "name", None) == name]
    return {ast.unparse(node.cls) for node in ast.walk(method) if isinstance(node, ast.MatchClass)}


def test_the_consumer_has_exactly_one_case_for_every_effect():
    performed, asked = cases_of("_perform"), cases_of("_ask")
    assert not performed & asked
    assert performed | asked == {effect.__name__ for effect in get_args(Effect)}
