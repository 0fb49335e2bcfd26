"""What is traded, and how do its prices move? Products with odd terms; paths with gaps, spikes and breaks."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from msgspec.structs import replace

from engine.values import State, Terms, tick_size
from simulation.script import Quoted

BEGIN_MS = 1_700_000_000_000
HOUR_MS = 3_600_000

# Name, digits, price in ticks, spread in ticks, usual move in ticks. The last one's ticks are so coarse that a
# liquidation price is the entry price.
PRODUCTS = [
    ("EUR-USD", 5, 126_635, 2, 25),
    ("USD-JPY", 3, 151_204, 3, 30),
    ("BTC-USD", 1, 391_663, 7, 150),
    ("AMZN", 2, 18_450, 1, 10),
    ("XRP-USD", 4, 5_120, 1, 4),
    ("ONE-USD", 2, 35, 1, 1),
]
FRACTIONS = [(2, 3), (4, 5), (1, 2), (1, 1), (5, 7)]
LEVERAGES_MAX = ["300", "200", "100", "50", "12.5"]
DECAY_RATES = ["0.00003", "-0.0002", "0", "0.004"]
SIZES_MAX = ["1000", "600000", "50"]


@dataclass(slots=True)
class Path:
    """A product's price on its way. `state` is what its feed says of it."""

    terms: Terms
    mid: int
    spread: int
    move: int
    state: State = "open"

    def step(self, chance: Random, time_ms: int) -> Quoted:
        """Move on: mostly a little, now and then far, with a wide spread, or with no market at all."""
        luck = chance.random()
        width = self.spread
        if luck < 0.03:
            self.mid += round(self.mid * chance.uniform(-0.06, 0.06))
        elif luck < 0.05:
            width *= chance.randint(2, 40)
        elif luck < 0.3:
            self.mid += chance.choice((-1, 0, 1))
        else:
            self.mid += round(chance.gauss(0, self.move))
        self.mid = max(self.mid, width + 2)
        self._break(chance)
        bid = self.mid - width // 2
        return Quoted(self.terms.product, self.price(bid), self.price(bid + width), time_ms, self.state)

    def price(self, ticks: int) -> Decimal:
        return ticks * tick_size(self.terms.digits)

    def change_terms(self, chance: Random) -> Terms:
        """Return other terms of the same product; its digits stay."""
        if self.terms.halted or chance.random() < 0.1:
            self.terms = replace(self.terms, halted=not self.terms.halted)
        else:
            self.terms = random_terms(chance, self.terms.product, self.terms.digits)
        return self.terms

    def _break(self, chance: Random) -> None:
        luck = chance.random()
        if self.state != "open":
            self.state = "open" if luck < 0.5 else self.state
        elif luck < 0.02:
            self.state = chance.choice(("stale", "closed", "halted"))


def random_terms(chance: Random, product: str, digits: int) -> Terms:
    return Terms(
        product=product,
        digits=digits,
        max_leverage=Decimal(chance.choice(LEVERAGES_MAX)),
        max_size=Decimal(chance.choice(SIZES_MAX)),
        decay_rate=Decimal(chance.choice(DECAY_RATES)),
        liquidation_fraction=chance.choice(FRACTIONS),
        liquidation_loss=chance.choice(("full_margin", "market")),
    )


def random_paths(chance: Random) -> dict[str, Path]:
    """Return a path for every product, by name."""
    return {
        name: Path(random_terms(chance, name, digits), price, spread, move)
        for name, digits, price, spread, move in PRODUCTS
    }


def random_pause_ms(chance: Random) -> int:
    """Return how long nothing happens: mostly moments, sometimes for days, so that positions decay."""
    if chance.random() < 0.002:
        return chance.randint(1, 60) * 8 * HOUR_MS + chance.choice((-1, 0, 1))
    return chance.choice((0, 1, 20, 300, 2_000))
