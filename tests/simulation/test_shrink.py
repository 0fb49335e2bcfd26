"""The shrinker: what it returns still fails, and nothing in it can be spared."""

from hypothesis import given
from hypothesis import strategies as st

from simulation.shrink import shrunk


@given(st.lists(st.integers(0, 20), max_size=60), st.sets(st.integers(0, 20), min_size=1, max_size=4))
def test_what_is_left_is_exactly_what_is_needed(script, needed):
    script = script + sorted(needed)
    left = shrunk(script, lambda steps: needed <= set(steps))
    assert sorted(left) == sorted(needed)


@given(st.lists(st.integers(), min_size=2, max_size=40, unique=True), st.data())
def test_the_order_stays(script, data):
    needed = data.draw(st.lists(st.sampled_from(script), min_size=2, max_size=4, unique=True))
    needed.sort(key=script.index)
    assert shrunk(script, lambda steps: [step for step in steps if step in needed] == needed) == needed


def test_a_step_that_is_two_things_is_taken_apart_and_what_it_kept_goes_with_it():
    """As a quote in whose midst a command comes: the command needs somebody who is before it then."""

    def fails(steps):
        return "reset" in steps or ("quote, reset" in steps and "somebody" in steps)

    def plainer(step):
        return step.split(", ") if ", " in step else ()

    assert shrunk(["somebody", "quote, reset"], fails) == ["somebody", "quote, reset"]
    assert shrunk(["somebody", "quote, reset"], fails, plainer=plainer) == ["reset"]


def test_it_stops_when_the_time_is_over():
    tries = []

    def fails(steps):
        tries.append(steps)
        return 99 in steps

    left = shrunk(list(range(100)), fails, out_of_time=lambda: len(tries) >= 3)
    assert 99 in left
    assert len(tries) == 3


def test_it_needs_few_tries():
    tries = []

    def fails(steps):
        tries.append(steps)
        return {1_000, 3_000} <= set(steps)

    assert shrunk(list(range(4_000)), fails) == [1_000, 3_000]
    assert len(tries) < 150
