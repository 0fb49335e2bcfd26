"""How the naive model says what happened: the documents' private events, written anew from the documents.

Source: event stream, trading:orders, trading:positions, trading:balances; protocols, sections 3, 4 and 6.
"""

from dataclasses import dataclass
from fractions import Fraction

from engine.values import AccountId
from simulation.exact import fixed, trimmed

SATOSHIS = 10**8
CONTRACT = 100_000
"""Of the size of one contract, in satoshis."""

Told = tuple[str, str]
"""An event's name and its data as JSON text."""


@dataclass(slots=True, kw_only=True)
class Trade:
    """A pending order (`opened` is None) or an open position. It is never changed, only replaced.

    Prices are in ticks, money and size in satoshis, times in ms.
    """

    account: AccountId
    id: str
    product: str
    digits: int
    side: str
    kind: str
    price: int
    leverage: Fraction
    amount: int
    margin: int
    liquidation: int
    decay_rate: Fraction
    created: int
    take_profit: int | None
    stop_loss: int | None
    valid_until: int | None
    client_order_id: str
    updated: int | None = None
    opened: int | None = None

    @property
    def size(self) -> int:
        return self.amount * CONTRACT

    @property
    def sign(self) -> int:
        return 1 if self.side == "buy" else -1


@dataclass(slots=True, kw_only=True)
class End:
    """How a position ended; `percent` is in its 4th place."""

    price: int
    pnl: int
    percent: int
    reason: str
    decay: int
    time: int


def trade_text(trade: Trade, end: End | None = None) -> str:
    digits = trade.digits
    text = (
        f'{{"id":"{trade.id}","product":"{trade.product}","price":"{fixed(trade.price, digits)}","side":"{trade.side}"'
        f',"leverage":"{trimmed(trade.leverage)}","amount":{trade.amount},"margin":"{fixed(trade.margin, 8)}"'
        f',"base_size":"{trimmed(Fraction(trade.amount, 1000))}","base_currency":"BTC"'
        f',"type":"{"market" if trade.kind == "" else "pending"}"'
        f',"liquidation_price":"{fixed(trade.liquidation, digits)}"'
    )
    if trade.take_profit is not None:
        text += f',"take_profit":"{fixed(trade.take_profit, digits)}"'
    if trade.stop_loss is not None:
        text += f',"stop_loss":"{fixed(trade.stop_loss, digits)}"'
    text += f',"decay_rate":"{trimmed(trade.decay_rate)}"'
    if end is not None:
        text += (
            f',"close_price":"{fixed(end.price, digits)}","pnl":"{fixed(end.pnl, 8)}"'
            f',"pnl_percent":"{fixed(end.percent, 4)}","reason":"{end.reason}"'
            f',"decay":"{trimmed(Fraction(end.decay, SATOSHIS))}"'
        )
    text += f',"created_at":{trade.created}'
    if trade.opened is not None:
        text += f',"opened_at":{trade.opened}'
    if end is not None:
        text += f',"closed_at":{end.time}'
    if trade.updated is not None:
        text += f',"updated_at":{trade.updated}'
    if trade.kind:
        text += f',"order_type":"{trade.kind}"'
    if trade.valid_until is not None and trade.opened is None:
        text += f',"valid_until":{trade.valid_until}'
    if trade.client_order_id:
        text += f',"client_order_id":"{trade.client_order_id}"'
    return text + "}"


def short_text(trade: Trade) -> str:
    return f'{{"id":"{trade.id}","product":"{trade.product}"}}'


def split_text(parent: Trade, first: Trade, second: Trade) -> str:
    parts = f'"first_position":{trade_text(first)},"second_position":{trade_text(second)}'
    return f'{{"parent_id":"{parent.id}",{parts}}}'


def balance_text(cash: int) -> str:
    return f'{{"BTC":"{fixed(cash, 8)}"}}'
