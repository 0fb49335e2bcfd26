"""The laws of the engine, under any sequence of orders, changes, quotes and waiting.

After every step: money sums to zero, nothing is below zero, the margin is that of the open trades, and the state is
what its recorded events make of nothing. A refusal changes nothing; a position takes no more than its margin.
"""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.commands import Command, Deposit, Expire, Input, OpenAccount, PlaceOrder, SetTerms, Trigger
from engine.decide import decide, handle, products_needed
from engine.events import MoneyMoved, OrderRefused, Position, PositionClosed
from engine.state import State, evolve
from engine.values import Market, Quote
from tests.engine import commands as some
from tests.engine.worlds import picture


class Engine(RuleBasedStateMachine):
    """The engine with its runner's part: prices, a clock, and triggers that quotes and time set off."""

    def __init__(self):
        super().__init__()
        self.state, self.now_ms, self.count = State(), 0, 0
        self.markets = {name: Market(some.price(name, 1000), some.price(name, 1002)) for name in some.PRODUCTS}
        self.recorded = []
        self.asked: dict[Any, Any] = {}

    @initialize()
    def begin(self):
        for terms in some.TERMS:
            self.do(SetTerms(terms=terms))
        for account in some.ACCOUNTS:
            self.do(OpenAccount(account=account))
            self.do(Deposit(account=account, amount=Decimal(100)))

    def do(self, command: Command):
        entry = Input(command, self.now_ms, {name: self.markets[name] for name in products_needed(self.state, command)})
        before = picture(self.state)
        decided = decide(self.state, entry)
        assert picture(self.state) == before
        outcome = handle(self.state, entry)
        assert outcome.events == decided.events
        if outcome.refusal is not None and not isinstance(next(iter(outcome.events), None), OrderRefused):
            assert outcome.events == ()
            assert picture(self.state) == before
        self.recorded += outcome.events
        assert_no_position_costs_more_than_its_margin(outcome.events)
        return outcome

    def trade(self, identifier) -> Any:
        return self.state.trade(identifier)

    # ---- what happens

    @rule(data=st.data())
    def place(self, data):
        self.count += 1
        order = data.draw(some.orders(f"t{self.count}"))
        outcome = self.do(order)
        if order.client_order_id:
            self.asked.setdefault((order.account, order.client_order_id), (order, outcome.refusal))

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def place_again(self, data):
        """The same order again: nothing changes, and the answer is the first."""
        self.count += 1
        order, refusal = self.asked[data.draw(st.sampled_from(sorted(self.asked)))]
        before = picture(self.state)
        fields = {name: getattr(order, name) for name in PlaceOrder.__struct_fields__}
        outcome = self.do(PlaceOrder(**(fields | {"id": f"t{self.count}"})))
        assert picture(self.state) == before
        assert (outcome.refusal and outcome.refusal.code) == (refusal and refusal.code)

    @precondition(lambda self: self.state.owners)
    @rule(data=st.data())
    def change(self, data):
        identifier = data.draw(st.sampled_from(sorted(self.state.owners)))
        account = data.draw(st.sampled_from([self.state.owners[identifier], *some.ACCOUNTS]))
        product = self.trade(identifier).product
        outcome = self.do(data.draw(some.changes(account, identifier, product)))
        if account != self.state.owners.get(identifier, account):
            assert outcome.refusal.code == "not_found"

    @rule(data=st.data())
    def move_money(self, data):
        self.do(data.draw(some.funds()))

    @rule(product=some.products, bid=some.bids, spread=some.spreads)
    def quote(self, product, bid, spread):
        bid, ask = some.price(product, bid), some.price(product, bid + spread)
        self.markets[product] = Market(bid, ask)
        quote = Quote(product, bid, ask, bid, bid, self.now_ms, 1)
        reached = self.state.reached(quote)
        assert sorted(reached) == sorted(naively_reached(self.state, quote))
        for identifier in reached:
            trade = self.trade(identifier)
            outcome = self.do(Trigger(account=trade.account, id=identifier))
            is_past = not isinstance(trade, Position) and (trade.valid_until_ms or 10**15) <= self.now_ms
            assert (outcome.refusal is not None) == is_past

    @rule(ms=st.sampled_from([1, 10**6, 10**8]))
    def wait(self, ms):
        self.now_ms += ms
        for identifier in self.state.expired(self.now_ms):
            outcome = self.do(Expire(account=self.state.owners[identifier], id=identifier))
            assert outcome.refusal is None

    # ---- what holds

    @invariant()
    def money_sums_to_zero_in_each_environment(self):
        for environment in ("demo", "live"):
            users = sum(a.cash + a.margin for name, a in self.state.accounts.items() if name.environment == environment)
            house = sum(held for (where, _), held in self.state.house.items() if where == environment)
            assert users + house == 0

    @invariant()
    def nothing_is_below_zero_and_the_margin_is_that_of_the_open_trades(self):
        for account in self.state.accounts.values():
            open_trades = [*account.orders.values(), *account.positions.values()]
            assert account.cash >= 0
            assert account.margin == sum(trade.margin for trade in open_trades)
            assert all(trade.margin > 0 for trade in open_trades)

    @invariant()
    def the_recorded_events_make_the_same_state_of_nothing(self):
        rebuilt = State()
        for event in self.recorded:
            evolve(rebuilt, event)
        assert picture(rebuilt) == picture(self.state)


def naively_reached(state: State, quote: Quote) -> list[str]:
    """Return the trades that a quote reaches, by a look at each of them."""
    trades = [trade for a in state.accounts.values() for trade in (*a.orders.values(), *a.positions.values())]
    return [trade.id for trade in trades if trade.product == quote.product and is_reached(trade, quote)]


def is_reached(trade, quote: Quote):
    if isinstance(trade, Position):
        price, sign = (quote.bid, 1) if trade.side == "buy" else (quote.ask, -1)
        below = [trade.liquidation_price, trade.stop_loss]
        return any(level is not None and (price - level) * sign <= 0 for level in below) or (
            trade.take_profit is not None and (price - trade.take_profit) * sign >= 0
        )
    price, sign = (quote.ask, 1) if trade.side == "buy" else (quote.bid, -1)
    change = (price - trade.price) * sign
    return change <= 0 if trade.kind == "limit" else change >= 0


def assert_no_position_costs_more_than_its_margin(events) -> None:
    for event in events:
        if isinstance(event, PositionClosed):
            position = event.position
            moved = [m for m in events if isinstance(m, MoneyMoved) and m.reference == position.id]
            won = sum(m.amount for m in moved if m.target.startswith("user.") and not m.source.startswith("user."))
            lost = sum(m.amount for m in moved if m.source.startswith("user.") and not m.target.startswith("user."))
            assert won - lost >= -position.margin
            assert won - lost == max(-position.margin, event.closing.pnl - event.closing.decay)


Engine.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestEngine = Engine.TestCase


# ---- commands of different accounts commute


@st.composite
def days(draw, account):
    """Give what one account does in a day: orders, and changes of them by number."""
    steps = []
    for number in range(draw(st.integers(1, 5))):
        order = draw(some.orders(f"{account.environment}{account.user_id}-{number}", account))
        steps.append(order)
        if draw(st.booleans()):
            steps.append(draw(some.changes(account, order.id, order.product)))
    return steps


@settings(max_examples=60)
@given(days(some.ACCOUNTS[0]), days(some.ACCOUNTS[1]), st.randoms(use_true_random=False))
def test_commands_of_different_accounts_commute(one, other, random):
    turns = [0] * len(one) + [1] * len(other)
    pictures = []
    for _ in range(2):
        random.shuffle(turns)
        steps = [iter(one), iter(other)]
        pictures.append(by_account(played([next(steps[turn]) for turn in turns])))
    assert pictures[0] == pictures[1]


def played(commands) -> State:
    state = State()
    markets = {name: Market(some.price(name, 1000), some.price(name, 1002)) for name in some.PRODUCTS}
    preparations: list[Command] = [SetTerms(terms=terms) for terms in some.TERMS]
    preparations += [OpenAccount(account=account) for account in some.ACCOUNTS]
    for command in [*preparations, *commands]:
        handle(state, Input(command, 0, markets))
    return state


def by_account(state: State) -> dict[str, Any]:
    """Return the picture without what says who came first: answers and levels in their order of coming."""
    seen = picture(state)
    levels = {place: {level: sorted(ids) for level, ids in found.items()} for place, found in seen["levels"].items()}
    return seen | {"levels": levels}
