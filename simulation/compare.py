"""Are engine and naive model of one mind? After every step: what was told, refused and answered, and what they hold."""

from collections.abc import Collection, Mapping
from fractions import Fraction

from engine.commands import SetTerms
from engine.events import Order, Position
from engine.state import State
from engine.values import AccountId, Market
from simulation.exact import units
from simulation.laws import demand
from simulation.naive import Account, Naive
from simulation.naive_text import Trade
from trading.book import Record

PRICES = (
    ("price", "price"),
    ("liquidation_price", "liquidation"),
    ("take_profit", "take_profit"),
    ("stop_loss", "stop_loss"),
)
WORDS = (
    ("product", "product"),
    ("side", "side"),
    ("kind", "kind"),
    ("amount", "amount"),
    ("created_ms", "created"),
    ("updated_ms", "updated"),
    ("client_order_id", "client_order_id"),
)


class Comparison:
    """The naive model beside the engine. It sees the same commands and all prices."""

    def __init__(self) -> None:
        self.naive = Naive()
        self._committed = self.naive.copy()
        # account -> the engine's trades that were compared: being immutable, they need it once
        self._seen: dict[AccountId, dict[str, Order]] = {}

    def commit(self) -> None:
        self._committed = self.naive.copy()

    def crash(self) -> None:
        """Forget what was not committed."""
        self.naive = self._committed
        self._committed = self.naive.copy()
        self._seen.clear()

    def check(self, state: State, record: Record, markets: Mapping[str, Market]) -> None:
        """Do the command that was done, and compare."""
        entry = record.outcome.entry
        command = entry.command
        expected = self.naive.do(command, entry.time_ms, markets)
        demand(record.answer.code == expected.code, "naive: refusal", record.answer, expected.code or "none", entry)
        told = [(logged.name, logged.data) for logged in record.log]
        if told != expected.told:
            demand(False, "naive: events", told, expected.told)
        if not expected.code:
            demand(record.answer.text == expected.answer, "naive: answer", record.answer, expected.answer)
        if not isinstance(command, SetTerms):
            self._check_account(state, command.account)

    def check_all(self, state: State) -> None:
        demand(list(state.accounts) == list(self.naive.accounts), "naive: accounts")
        self._seen.clear()
        for name, account in self.naive.accounts.items():
            self._check_account(state, name)
            margin = sum(trade.margin for trade in account.trades.values())
            demand(units(state.accounts[name].margin, 8) == margin, "naive: margin", name)
            orders = [trade.id for trade in account.trades.values() if trade.opened is None]
            positions = [trade.id for trade in account.trades.values() if trade.opened is not None]
            demand(list(state.accounts[name].orders) == orders, "naive: order of the orders", name)
            demand(list(state.accounts[name].positions) == positions, "naive: order of the positions", name)

    def check_reached(self, product: str, market: Market, reached: Collection[str]) -> None:
        expected = self.naive.reached(product, market)
        law = "naive: what a quote reaches"
        demand(len(reached) == len(expected) and set(reached) == expected, law, reached, sorted(expected))

    def check_expired(self, time_ms: int, due: Collection[str]) -> None:
        expected = self.naive.expired(time_ms)
        law = "naive: what has expired"
        demand(len(due) == len(expected) and set(due) == expected, law, due, sorted(expected))

    def _check_account(self, state: State, name: AccountId) -> None:
        mine = self.naive.accounts.get(name)
        owner = state.accounts.get(name)
        if mine is None or owner is None:
            demand(mine is None and owner is None, "naive: accounts", name)
            return
        demand(units(owner.cash, 8) == mine.cash, "naive: balance", name, owner.cash, mine.cash)
        open_now = len(owner.orders) + len(owner.positions)
        demand(open_now == len(mine.trades), "naive: open trades", name, open_now, len(mine.trades))
        seen = self._seen.setdefault(name, {})
        for trades in (owner.orders, owner.positions):
            for identifier, trade in trades.items():
                if seen.get(identifier) is not trade:
                    check_trade(trade, mine)
                    seen[identifier] = trade


def check_trade(trade: Order, account: Account) -> None:
    """Compare all of a trade's numbers and words."""
    mine: Trade | None = account.trades.get(trade.id)
    if mine is None:
        demand(False, "naive: open trades", "unknown", trade)
        return
    for name, own in PRICES:
        price = getattr(trade, name)
        found = None if price is None else units(price, mine.digits)
        demand(found == getattr(mine, own), "naive: prices", name, trade, mine)
    demand(units(trade.margin, 8) == mine.margin, "naive: margin", trade, mine)
    demand(Fraction(trade.leverage) == mine.leverage, "naive: leverage", trade, mine)
    demand(Fraction(trade.decay_rate) == mine.decay_rate, "naive: decay rate", trade, mine)
    for name, own in WORDS:
        demand(getattr(trade, name) == getattr(mine, own), "naive: words", name, trade, mine)
    opened = trade.opened_ms if isinstance(trade, Position) else None
    demand(opened == mine.opened, "naive: opened", trade, mine)
