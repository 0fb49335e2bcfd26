"""Are the ids UUIDs as the standard library makes them, each of them once?"""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from streaming.identifiers import IDS_A_DRAW, fresh_id, uuid_text


@given(st.binary(min_size=16, max_size=16))
def test_an_id_is_spelled_as_the_standard_library_spells_it(random):
    assert uuid_text(random) == str(UUID(bytes=random, version=4))


def test_no_id_comes_twice_whatever_thread_asks():
    with ThreadPoolExecutor(4) as threads:
        ids = list(threads.map(lambda _: fresh_id(), range(40 * IDS_A_DRAW)))
    assert len(set(ids)) == len(ids)
