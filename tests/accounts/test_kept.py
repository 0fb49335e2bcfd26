"""Is what was looked up kept for seconds, and never beyond the moment in which somebody says that it has changed?"""

from accounts.kept import KEPT_S, MAX_KEPT, Kept


class Time:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_what_was_read_is_kept_for_seconds():
    time = Time()
    kept: Kept[str] = Kept(time)
    assert kept.get("a") is None
    assert kept.read("a", lambda: "first") == "first"
    time.now_s += KEPT_S
    assert kept.get("a") == "first"
    time.now_s += 0.001
    assert kept.get("a") is None
    assert kept.read("a", lambda: "second") == kept.get("a") == "second"


def test_what_is_not_there_is_looked_for_again():
    kept: Kept[str] = Kept()
    assert kept.read("a", lambda: None) is None
    assert kept.read("a", lambda: "new") == kept.get("a") == "new"


def test_nothing_outlives_a_change():
    kept: Kept[str] = Kept()
    kept.read("a", lambda: "old")
    kept.forget()
    assert kept.get("a") is None


def test_what_is_read_while_a_change_comes_is_not_kept():
    kept: Kept[str] = Kept()

    def changes_meanwhile() -> str:
        kept.forget()
        return "old"

    assert kept.read("a", changes_meanwhile) == "old"
    assert kept.get("a") is None


class ChangesAtTheLastMoment:
    """A name in whose storing another thread comes in between, and says that there was a change."""

    def __init__(self, kept: Kept[str]) -> None:
        self._kept = kept

    def __hash__(self) -> int:
        self._kept.forget()
        return 7


def test_a_change_between_the_last_look_and_the_keeping_counts():
    kept: Kept[str] = Kept()
    name = ChangesAtTheLastMoment(kept)
    assert kept.read(name, lambda: "old") == "old"
    assert not kept._found


def test_when_too_many_are_kept_all_are_looked_up_anew():
    kept: Kept[int] = Kept()
    for number in range(MAX_KEPT + 1):
        kept.read(number, lambda: 1)
    assert len(kept._found) == 1
    assert kept.get(MAX_KEPT) == 1
