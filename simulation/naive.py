"""What should come of a command? The trading rules once more: short, slow, in exact fractions.

Written from the rules' text. It shares only the commands with the engine, looks at all open trades for each quote, and
asks everything afresh. Where the rules do not say which of several reasons a refusal has, it is the engine's order.

Source: trading rules, "Numbers" and "Life of an order and a position".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from engine.commands import (
    CancelOrder,
    ClosePosition,
    Command,
    Deposit,
    Expire,
    OpenAccount,
    PlaceOrder,
    ResetAccount,
    SetTerms,
    SplitPosition,
    Trigger,
    UpdateTrade,
    Withdraw,
)
from engine.values import AccountId, Market, Terms
from simulation.exact import down, units
from simulation.naive_rules import (
    Refused,
    ending,
    liquidation,
    new_order,
    open_market,
    payout,
    reason_of,
    ticks,
    updated,
)
from simulation.naive_text import SATOSHIS, Told, Trade, balance_text, short_text, split_text, trade_text

GRANT = 10 * SATOSHIS
ALL_BITCOINS = 21_000_000 * SATOSHIS
TRADES_MAX = 1000


@dataclass(slots=True)
class Expected:
    """What the owner is told, and what the asker: a text, or the code of a refusal."""

    told: list[Told] = field(default_factory=list)
    answer: str = ""
    code: str = ""


@dataclass(slots=True)
class Account:
    cash: int
    trades: dict[str, Trade] = field(default_factory=dict)


@dataclass(slots=True)
class Naive:
    """`requests`: an account's own name for an order -> what was asked for and what came of it."""

    terms: dict[str, Terms] = field(default_factory=dict)
    accounts: dict[AccountId, Account] = field(default_factory=dict)
    requests: dict[tuple[AccountId, str], tuple[object, Expected]] = field(default_factory=dict)
    now: int = 0
    markets: Mapping[str, Market] = field(default_factory=dict)

    def copy(self) -> "Naive":
        """Return the model as it is now, for when what comes next is lost."""
        accounts = {name: Account(account.cash, dict(account.trades)) for name, account in self.accounts.items()}
        return Naive(dict(self.terms), accounts, dict(self.requests))

    def do(self, command: Command, time_ms: int, markets: Mapping[str, Market]) -> Expected:
        """Do a command at the markets' prices, those of all products."""
        self.now, self.markets = time_ms, markets
        try:
            return RULES[type(command)](self, command)
        except Refused as refused:
            return Expected(code=str(refused))

    def reached(self, product: str, market: Market) -> set[str]:
        """Return the trades that a quote of the product reaches, whether it trades or not."""
        terms = self.terms[product]
        bid, ask = ticks(market.bid, terms), ticks(market.ask, terms)
        return {
            trade.id
            for account in self.accounts.values()
            for trade in account.trades.values()
            if trade.product == product and reason_of(trade, bid, ask)
        }

    def expired(self, time_ms: int) -> set[str]:
        """Return the pending orders whose time is over."""
        return {
            trade.id
            for account in self.accounts.values()
            for trade in account.trades.values()
            if trade.valid_until is not None and trade.valid_until <= time_ms and trade.opened is None
        }

    # Orders

    def place(self, command: PlaceOrder) -> Expected:
        if command.client_order_id:
            return self._place_once(command)
        return self._place(command)

    def _place_once(self, command: PlaceOrder) -> Expected:
        name = command.account, command.client_order_id
        body = (
            command.product, command.side, command.type, command.leverage, command.amount, command.price,
            command.take_profit, command.stop_loss, command.valid_until_ms,
        )  # fmt: skip
        if name in self.requests:
            first_body, first = self.requests[name]
            if body != first_body:
                raise Refused("client_order_id_reused")
            return Expected(answer=first.answer, code=first.code)
        try:
            done = self._place(command)
        except Refused as refused:
            if command.account in self.accounts:
                self.requests[name] = body, Expected(code=str(refused))
            raise
        self.requests[name] = body, done
        return done

    def _place(self, command: PlaceOrder) -> Expected:
        account = self._account(command.account)
        order = new_order(command, self._terms(command.product), self.markets, self.now)
        if order.margin > account.cash:
            raise Refused("insufficient_balance")
        if len(account.trades) >= TRADES_MAX:
            raise Refused("too_many_trades")
        account.cash -= order.margin
        done = Expected([("order:new", trade_text(order))], trade_text(order))
        if order.kind:
            account.trades[order.id] = order
        else:
            position = replace(order, opened=self.now)
            account.trades[order.id] = position
            done.told += [("order:activate", short_text(order)), ("position:new", trade_text(position))]
        done.told.append(("balance", balance_text(account.cash)))
        return done

    def cancel(self, command: CancelOrder | Expire) -> Expected:
        account = self._account(command.account)
        order = account.trades.get(command.id)
        if order is None or order.opened is not None:
            raise Refused("not_found")
        del account.trades[order.id]
        account.cash += order.margin
        told = [("order:cancel", short_text(order)), ("balance", balance_text(account.cash))]
        return Expected(told, f'{{"id":"{order.id}"}}' if isinstance(command, CancelOrder) else "")

    def update(self, command: UpdateTrade) -> Expected:
        account = self._account(command.account)
        trade = account.trades.get(command.id)
        if trade is None:
            raise Refused("not_found")
        wishes = command.price, command.take_profit, command.stop_loss, command.leverage, command.margin
        if all(wish is None for wish in wishes):
            raise Refused("nothing_to_update")
        changed = updated(trade, command, self._terms(trade.product), self.markets, self.now)
        added = changed.margin - trade.margin
        if added > account.cash:
            raise Refused("insufficient_balance")
        account.trades[trade.id] = changed
        account.cash -= added
        text = trade_text(changed)
        told = [("order:update" if trade.opened is None else "position:update", text)]
        if added:
            told.append(("balance", balance_text(account.cash)))
        return Expected(told, text)

    # Positions

    def split(self, command: SplitPosition) -> Expected:
        account = self._account(command.account)
        parent = self._position(account, command.id)
        if len(account.trades) >= TRADES_MAX:
            raise Refused("too_many_trades")
        second_amount = parent.amount * (100 - command.first_percent) // 100
        second_margin = down(Fraction(parent.margin * second_amount, parent.amount))
        if second_amount == 0 or second_margin == 0:
            raise Refused("cannot_split")
        parts = [
            (command.first_id, parent.amount - second_amount, parent.margin - second_margin),
            (command.second_id, second_amount, second_margin),
        ]
        first, second = (
            replace(parent, id=name, amount=amount, margin=margin, client_order_id="") for name, amount, margin in parts
        )
        del account.trades[parent.id]
        account.trades |= {first.id: first, second.id: second}
        text = split_text(parent, first, second)
        return Expected([("position:split", text)], f'{{"success":true,"data":{text}}}')

    def close(self, command: ClosePosition) -> Expected:
        account = self._account(command.account)
        position = self._position(account, command.id)
        terms = self._terms(position.product)
        market = open_market(terms, self.markets)
        price = ticks(market.bid if position.side == "buy" else market.ask, terms)
        return self._closed(account, position, price, "manual")

    def trigger(self, command: Trigger) -> Expected:
        account = self._account(command.account)
        trade = account.trades.get(command.id)
        if trade is None:
            raise Refused("not_found")
        terms = self._terms(trade.product)
        market = open_market(terms, self.markets)
        bid, ask = ticks(market.bid, terms), ticks(market.ask, terms)
        reason = reason_of(trade, bid, ask)
        if not reason:
            raise Refused("not_found")
        if trade.opened is not None:
            return Expected(self._closed(account, trade, bid if trade.side == "buy" else ask, reason).told)
        price = ask if trade.side == "buy" else bid
        level = liquidation(terms, side=trade.side, entry=price, size=trade.size, margin=trade.margin)
        position = replace(trade, price=price, liquidation=level, updated=None, opened=self.now)
        del account.trades[trade.id]
        account.trades[trade.id] = position
        return Expected([("order:activate", short_text(trade)), ("position:new", trade_text(position))])

    def _closed(self, account: Account, position: Trade, price: int, reason: str) -> Expected:
        loses_all = self.terms[position.product].liquidation_loss == "full_margin"
        end = ending(position, price, reason, self.now)
        if reason == "liquidation" and loses_all:
            end = replace(end, pnl=-position.margin, percent=-100 * 10**4, decay=0)
        back = payout(position, end)
        del account.trades[position.id]
        account.cash += back
        text = trade_text(position, end)
        told = [("position:close", text)]
        if back:
            told.append(("balance", balance_text(account.cash)))
        return Expected(told, text)

    # Money

    def open_account(self, command: OpenAccount) -> Expected:
        if command.account in self.accounts:
            return Expected()
        cash = GRANT if command.account.environment == "demo" else 0
        self.accounts[command.account] = Account(cash)
        return Expected([("balance", balance_text(cash))], balance_text(cash))

    def transfer(self, command: Deposit | Withdraw) -> Expected:
        account = self._account(command.account)
        amount = units(command.amount, 8)
        if amount is None or not 0 < amount <= ALL_BITCOINS:
            raise Refused("invalid_amount")
        if isinstance(command, Withdraw):
            if amount > account.cash:
                raise Refused("insufficient_balance")
            amount = -amount
        account.cash += amount
        return Expected([("balance", balance_text(account.cash))], balance_text(account.cash))

    def reset(self, command: ResetAccount) -> Expected:
        if command.account.environment != "demo":
            raise Refused("not_demo")
        account = self._account(command.account)
        orders = [trade for trade in account.trades.values() if trade.opened is None]
        orders.sort(key=lambda order: (order.created, order.id))
        positions = [trade for trade in account.trades.values() if trade.opened is not None]
        positions.sort(key=lambda position: (position.opened, position.id))
        told = [("order:cancel", short_text(order)) for order in orders]
        for position in positions:
            market = self.markets.get(position.product)
            price = position.price
            if market is not None:
                price = ticks(market.bid if position.side == "buy" else market.ask, self.terms[position.product])
            told.append(("position:close", trade_text(position, ending(position, price, "manual", self.now))))
        account.trades.clear()
        account.cash = GRANT
        return Expected([*told, ("balance", balance_text(GRANT))], balance_text(GRANT))

    def set_terms(self, command: SetTerms) -> Expected:
        self.terms[command.terms.product] = command.terms
        return Expected()

    # What they share

    def _account(self, name: AccountId) -> Account:
        if name not in self.accounts:
            raise Refused("not_found")
        return self.accounts[name]

    def _position(self, account: Account, identifier: str) -> Trade:
        trade = account.trades.get(identifier)
        if trade is None or trade.opened is None:
            raise Refused("not_found")
        return trade

    def _terms(self, product: str) -> Terms:
        if product not in self.terms:
            raise Refused("unknown_product")
        return self.terms[product]


RULES: Mapping[type, Callable[[Naive, Any], Expected]] = {
    PlaceOrder: Naive.place, CancelOrder: Naive.cancel, Expire: Naive.cancel, UpdateTrade: Naive.update,
    SplitPosition: Naive.split, ClosePosition: Naive.close, Trigger: Naive.trigger, OpenAccount: Naive.open_account,
    Deposit: Naive.transfer, Withdraw: Naive.transfer, ResetAccount: Naive.reset, SetTerms: Naive.set_terms,
}  # fmt: skip
