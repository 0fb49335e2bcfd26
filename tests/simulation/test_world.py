"""Products and prices: what the paths promise."""

from itertools import pairwise
from random import Random

from simulation.world import PRODUCTS, random_paths, random_pause_ms


def walk(seed, steps=2_000):
    chance = Random(seed)
    paths = random_paths(chance)
    return paths, [path.step(chance, 0) for _ in range(steps) for path in paths.values()]


def test_prices_are_above_zero_on_their_ticks_and_never_crossed():
    paths, quotes = walk(1)
    for quote in quotes:
        assert 0 < quote.bid <= quote.ask
        assert -quote.bid.as_tuple().exponent == paths[quote.product].terms.digits


def test_there_are_gaps_and_breaks():
    _, quotes = walk(2)
    mine = [quote for quote in quotes if quote.product == "EUR-USD"]
    jumps = [abs(after.bid / before.bid - 1) for before, after in pairwise(mine)]
    assert max(jumps) > 0.02
    assert {quote.state for quote in quotes} == {"open", "stale", "closed", "halted"}


def test_the_same_seed_gives_the_same_prices():
    assert walk(3, 50)[1] == walk(3, 50)[1]
    assert walk(3, 50)[1] != walk(4, 50)[1]


def test_changed_terms_keep_product_and_digits():
    chance = Random(5)
    for name, digits, *_ in PRODUCTS:
        path = random_paths(chance)[name]
        changed = [path.change_terms(chance) for _ in range(50)]
        assert {(terms.product, terms.digits) for terms in changed} == {(name, digits)}
        assert {terms.halted for terms in changed} == {True, False}


def test_pauses_are_mostly_moments_and_sometimes_days():
    chance = Random(6)
    pauses = [random_pause_ms(chance) for _ in range(10_000)]
    assert sorted(pauses)[len(pauses) // 2] < 1_000
    assert max(pauses) > 8 * 3_600_000
