"""A proven caller is a value: nobody gives it more rights later."""

import dataclasses

import pytest

from accounts.identity import Identity


def test_an_identity_does_not_change_and_can_be_compared():
    one, same = (Identity(7, "ann", frozenset({"read"}), frozenset({"demo"}), key_id="k1") for _ in range(2))
    assert one == same
    assert len({one, same}) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.scopes = frozenset({"trade"})  # type: ignore[misc]


def test_it_never_ends_unless_told():
    identity = Identity(7, "ann", frozenset(), frozenset(), session="s1")
    assert (identity.expires_ms, identity.generation, identity.key_id) == (None, 0, "")
