"""Why the engine refuses: its own codes, part of the one registry in `accounts/errors.py`."""

from enum import StrEnum


class RefusalCode(StrEnum):
    UNKNOWN_PRODUCT = "unknown_product"
    NOT_FOUND = "not_found"
    INVALID_PRICE = "invalid_price"
    PRICE_OFF_TICK = "price_off_tick"
    PRICE_WRONG_SIDE = "price_wrong_side"
    SIZE_OUT_OF_BOUNDS = "size_out_of_bounds"
    LEVERAGE_NOT_ALLOWED = "leverage_not_allowed"
    MARGIN_NOT_ALLOWED = "margin_not_allowed"
    INVALID_TAKE_PROFIT = "invalid_take_profit"
    INVALID_STOP_LOSS = "invalid_stop_loss"
    CANNOT_SPLIT = "cannot_split"
    NOTHING_TO_UPDATE = "nothing_to_update"
    INVALID_AMOUNT = "invalid_amount"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    MARKET_CLOSED = "market_closed"
    PRICE_OUTDATED = "price_outdated"
    HALTED = "halted"
    VALID_UNTIL_PAST = "valid_until_past"
    CLIENT_ORDER_ID_REUSED = "client_order_id_reused"
    TOO_MANY_TRADES = "too_many_trades"
    NOT_DEMO = "not_demo"


class Refusal(Exception):
    """The engine will not do it; nothing has changed. `message` says why in words for whoever asked."""

    def __init__(self, code: RefusalCode, message: str = "") -> None:
        super().__init__(code.value)
        self.code = code
        self.message = message
