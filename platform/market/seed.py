"""The products that a new installation has."""

from dataclasses import dataclass
from decimal import Decimal

from market.models import Product


@dataclass(frozen=True, slots=True)
class Seed:
    """A product to begin with; prices as text, `decay_rate` per 8 h."""

    name: str
    title: str
    group: str
    digits: int
    price: str
    volatility: str
    leverage: int
    max_size: str = "600000"
    decay_rate: str = "0.0002"


SEEDS = (
    Seed("EUR-USD", "EUR/USD", "forex", 5, "1.08500", "0.07", 300),
    Seed("GBP-USD", "GBP/USD", "forex", 5, "1.26400", "0.08", 300),
    Seed("USD-JPY", "USD/JPY", "forex", 3, "151.200", "0.09", 300),
    Seed("USD-CHF", "USD/CHF", "forex", 5, "0.88200", "0.07", 300),
    Seed("AUD-USD", "AUD/USD", "forex", 5, "0.65900", "0.10", 300),
    Seed("USD-CAD", "USD/CAD", "forex", 5, "1.36100", "0.07", 300),
    Seed("EUR-GBP", "EUR/GBP", "forex", 5, "0.85800", "0.06", 300),
    Seed("EUR-JPY", "EUR/JPY", "forex", 3, "164.050", "0.09", 300),
    Seed("XAU-USD", "Gold", "metals", 2, "2350.00", "0.15", 150),
    Seed("XAG-USD", "Silver", "metals", 3, "27.800", "0.28", 100),
    Seed("AAPL", "Apple", "stocks", 2, "189.50", "0.28", 20, "5000"),
    Seed("AMZN", "Amazon", "stocks", 2, "183.20", "0.32", 20, "5000"),
    Seed("MSFT", "Microsoft", "stocks", 2, "420.10", "0.25", 20, "5000"),
    Seed("TSLA", "Tesla", "stocks", 2, "177.90", "0.55", 20, "5000"),
    Seed("NVDA", "NVIDIA", "stocks", 2, "122.40", "0.50", 20, "5000"),
    Seed("SPX-USD", "S&P 500", "indices", 1, "5280.0", "0.15", 100, "50000"),
    Seed("BTC-USD", "Bitcoin", "crypto", 1, "64250.0", "0.55", 100, "50000", "0.0003"),
    Seed("ETH-USD", "Ether", "crypto", 2, "3480.00", "0.65", 100, "50000", "0.0003"),
    Seed("XRP-USD", "XRP", "crypto", 5, "0.52300", "0.75", 50, "50000", "0.0003"),
    Seed("LTC-USD", "Litecoin", "crypto", 2, "84.50", "0.70", 50, "50000", "0.0003"),
)

BAND = 100
"""The absolute bounds lie this factor around the first price: wide enough for replays of other decades."""


def products_seed() -> None:
    """Add the products that are missing; one that is there keeps what an administrator made of it."""
    present = set(Product.objects.values_list("name", flat=True))
    for seed in SEEDS:
        if seed.name not in present:
            product_create(seed)


def product_create(seed: Seed) -> Product:
    price = Decimal(seed.price)
    product = Product(
        name=seed.name,
        title=seed.title,
        group=seed.group,
        digits=seed.digits,
        max_leverage=seed.leverage,
        max_size=Decimal(seed.max_size),
        decay_rate=Decimal(seed.decay_rate),
        band_low=(price / BAND).quantize(Decimal(1).scaleb(-seed.digits)),
        band_high=price * BAND,
        start_price=price,
        volatility=Decimal(seed.volatility),
    )
    product.full_clean(exclude=["symbol"])
    product.save()
    return product
