"""Random commands for the laws: few accounts, few products, prices close together, so that much happens."""

from decimal import Decimal

from hypothesis import strategies as st

from engine.commands import (
    CancelOrder,
    ClosePosition,
    Deposit,
    PlaceOrder,
    ResetAccount,
    SplitPosition,
    UpdateTrade,
    Withdraw,
)
from engine.values import AccountId, Terms

ACCOUNTS = (AccountId("demo", 1), AccountId("demo", 2), AccountId("live", 1))
TERMS = (
    Terms(product="AAPL", digits=2, max_leverage=Decimal(50), max_size=Decimal(50), decay_rate=Decimal("0.001")),
    Terms(
        product="XAU-USD", digits=1, max_leverage=Decimal(100), max_size=Decimal(500), decay_rate=Decimal("-0.0002"),
        liquidation_fraction=(4, 5), liquidation_loss="market",
    ),
)  # fmt: skip
PRODUCTS = {terms.product: terms for terms in TERMS}

accounts = st.sampled_from(ACCOUNTS)
products = st.sampled_from(sorted(PRODUCTS))
bids = st.integers(900, 1100)
"""In ticks of the product."""

spreads = st.integers(0, 10)


def price(product: str, ticks: int) -> Decimal:
    return Decimal(ticks).scaleb(-PRODUCTS[product].digits)


@st.composite
def orders(draw, identifier: str, account: AccountId | None = None) -> PlaceOrder:
    """Give an order, mostly one that can be taken."""
    product = draw(products)
    kind = draw(st.sampled_from(["market", "market", "pending", "limit", "stop"]))
    maybe = st.none() | bids.map(lambda ticks: price(product, ticks))
    return PlaceOrder(
        account=account or draw(accounts),
        id=identifier,
        product=product,
        side=draw(st.sampled_from(["buy", "sell"])),
        type=kind,
        leverage=draw(st.sampled_from([Decimal(1), Decimal("33.33"), Decimal(50), Decimal(100)])),
        amount=draw(st.integers(1, 60_000)),
        price=None if kind == "market" else price(product, draw(bids)),
        take_profit=draw(maybe),
        stop_loss=draw(maybe),
        valid_until_ms=draw(st.none() | st.integers(1, 10**9)),
        client_order_id=draw(st.sampled_from(["", "", "a", "b"])),
    )


@st.composite
def updates(draw, account: AccountId, identifier: str, product: str) -> UpdateTrade:
    maybe_price = st.none() | st.just(Decimal(0)) | bids.map(lambda ticks: price(product, ticks))
    return UpdateTrade(
        account=account,
        id=identifier,
        price=draw(st.none() | bids.map(lambda ticks: price(product, ticks))),
        take_profit=draw(maybe_price),
        stop_loss=draw(maybe_price),
        leverage=draw(st.none() | st.sampled_from([Decimal(1), Decimal("7.5"), Decimal(40)])),
        margin=draw(st.none() | st.sampled_from([Decimal("0.5"), Decimal(1), Decimal("3.33333333")])),
    )


@st.composite
def changes(draw, account: AccountId, identifier: str, product: str):
    """Give a command about a trade that there is."""
    return draw(
        st.sampled_from([CancelOrder(account=account, id=identifier), ClosePosition(account=account, id=identifier)])
        | updates(account, identifier, product)
        | st.builds(
            SplitPosition, account=st.just(account), id=st.just(identifier), first_percent=st.integers(5, 95),
            first_id=st.just(f"{identifier}a"), second_id=st.just(f"{identifier}b"),
        )
    )  # fmt: skip


@st.composite
def funds(draw):
    amounts = st.sampled_from([Decimal("0.00000001"), Decimal(1), Decimal("7.5"), Decimal(0)])
    account = draw(accounts)
    return draw(
        st.builds(Deposit, account=st.just(account), amount=amounts)
        | st.builds(Withdraw, account=st.just(account), amount=amounts)
        | st.just(ResetAccount(account=account))
    )
