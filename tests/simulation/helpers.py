"""A small world for the tests: one product, two accounts, a quote, and how to ask for something in it."""

from decimal import Decimal

from engine.commands import Deposit, OpenAccount, PlaceOrder, SetTerms
from engine.values import AccountId, Market, Terms
from simulation.driver import Driver
from simulation.script import Do, Quoted

DEMO, LIVE = AccountId("demo", 1), AccountId("live", 1)
NOW_MS = 1_700_000_000_000

EUR_USD = Terms(
    product="EUR-USD",
    digits=5,
    max_leverage=Decimal(300),
    max_size=Decimal(1000),
    decay_rate=Decimal("0.00003"),
)


def market(bid, ask, state="open"):
    return {"EUR-USD": Market(Decimal(bid), Decimal(ask), state)}


def order(identifier="t1", **changes):
    """Return a market buy of 1 BTC at leverage 10."""
    wishes = {"account": DEMO, "product": "EUR-USD", "side": "buy", "type": "market"}
    return PlaceOrder(id=identifier, **{**wishes, "leverage": Decimal(10), "amount": 1000, **changes})


def do(command, after_ms=0):
    return Do(command, NOW_MS + after_ms)


def quoted(bid, ask, after_ms=0, **changes):
    return Quoted("EUR-USD", Decimal(bid), Decimal(ask), NOW_MS + after_ms, **changes)


def beginning():
    """Return the steps after which one may trade at 1.10000 / 1.10002."""
    return [
        do(SetTerms(terms=EUR_USD)),
        do(OpenAccount(account=DEMO)),
        do(OpenAccount(account=LIVE)),
        do(Deposit(account=LIVE, amount=Decimal(50))),
        quoted("1.10000", "1.10002"),
    ]


def given_world(*steps, naive=True):
    """Return a driver after the beginning and these steps."""
    driver = Driver(naive)
    for step in (*beginning(), *steps):
        driver.play(step)
    return driver
