"""The registry of what Tickwire answers when it refuses: error codes and close codes, the same on every surface.

A code never changes its meaning; the text beside it may. `docs/errors.md` is printed from these tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Code(StrEnum):
    """A stable error code, as `code` in WebSocket error messages and REST error bodies."""

    INVALID_JSON = "invalid_json"
    INVALID_MESSAGE = "invalid_message"
    INVALID_NUMBER = "invalid_number"
    INVALID_PARAMETER = "invalid_parameter"
    UNKNOWN_TYPE = "unknown_type"
    MESSAGE_TOO_LARGE = "message_too_large"
    BINARY_NOT_SUPPORTED = "binary_not_supported"
    DIALECT_UNDECIDED = "dialect_undecided"
    UNKNOWN_SYMBOL = "unknown_symbol"
    UNKNOWN_CHANNEL = "unknown_channel"
    UNKNOWN_PRODUCT = "unknown_product"
    INVALID_RESOLUTION = "invalid_resolution"
    INVALID_INTERVAL = "invalid_interval"
    TOO_MANY_NAMES = "too_many_names"
    TOO_MANY_SUBSCRIPTIONS = "too_many_subscriptions"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    AUTHENTICATION_REQUIRED = "authentication_required"
    ALREADY_AUTHENTICATED = "already_authenticated"
    AUTH_TIMEOUT = "auth_timeout"
    INVALID_KEY = "invalid_key"
    KEY_REVOKED = "key_revoked"
    KEY_EXPIRED = "key_expired"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    SCOPE_DENIED = "scope_denied"
    ENVIRONMENT_DENIED = "environment_denied"
    ORIGIN_DENIED = "origin_denied"
    INVALID_SIGNATURE = "invalid_signature"
    TIMESTAMP_OUT_OF_WINDOW = "timestamp_out_of_window"
    SIGNATURE_REUSED = "signature_reused"
    CSRF_FAILED = "csrf_failed"
    RATE_LIMITED = "rate_limited"
    SLOW_CONSUMER = "slow_consumer"
    PRODUCT_HAS_SOURCE = "product_has_source"
    CROSSED = "crossed"
    NOT_POSITIVE = "not_positive"
    OUT_OF_BAND = "out_of_band"
    OUT_OF_ORDER = "out_of_order"
    LATE = "late"
    FUTURE_TICK = "future_tick"
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
    POSITION_CLOSED = "position_closed"
    ORDER_ENDED = "order_ended"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    UNAVAILABLE = "unavailable"
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code says: the REST status it goes with, and its default words."""

    http_status: int
    message: str


ERRORS: Mapping[Code, Meaning] = {
    Code.INVALID_JSON: Meaning(400, "The message is not valid JSON"),
    Code.INVALID_MESSAGE: Meaning(400, "The message does not have the expected shape"),
    Code.INVALID_NUMBER: Meaning(400, "A number is not plain decimal digits within bounds"),
    Code.INVALID_PARAMETER: Meaning(400, "A parameter is missing or has the wrong form"),
    Code.UNKNOWN_TYPE: Meaning(400, "The message type is not known"),
    Code.MESSAGE_TOO_LARGE: Meaning(413, "The message is too large"),
    Code.BINARY_NOT_SUPPORTED: Meaning(400, "Send text messages, not binary ones"),
    Code.DIALECT_UNDECIDED: Meaning(
        400, "Authenticate with apiKey (tick stream) or subscribe to channels (event stream) first"
    ),
    Code.UNKNOWN_SYMBOL: Meaning(404, "Unknown symbol"),
    Code.UNKNOWN_CHANNEL: Meaning(404, "Unknown channel"),
    Code.UNKNOWN_PRODUCT: Meaning(404, "Unknown product"),
    Code.INVALID_RESOLUTION: Meaning(400, "Resolution must be one of 1, 5, 15, 60, 240, 1D"),
    Code.INVALID_INTERVAL: Meaning(400, "Interval must be one of 100, 250, 500, 1000 ms"),
    Code.TOO_MANY_NAMES: Meaning(400, "Too many names in one message"),
    Code.TOO_MANY_SUBSCRIPTIONS: Meaning(400, "Too many subscriptions on one connection"),
    Code.TOO_MANY_CONNECTIONS: Meaning(429, "Too many connections"),
    Code.AUTHENTICATION_REQUIRED: Meaning(401, "Authentication required"),
    Code.ALREADY_AUTHENTICATED: Meaning(409, "This connection is authenticated already"),
    Code.AUTH_TIMEOUT: Meaning(401, "Not authenticated within the auth window"),
    Code.INVALID_KEY: Meaning(401, "Unknown API key"),
    Code.KEY_REVOKED: Meaning(401, "This API key has been revoked"),
    Code.KEY_EXPIRED: Meaning(401, "This API key has expired"),
    Code.ADDRESS_NOT_ALLOWED: Meaning(403, "This API key may not be used from this address"),
    Code.SCOPE_DENIED: Meaning(403, "This API key lacks the scope for that"),
    Code.ENVIRONMENT_DENIED: Meaning(403, "This API key may not use that environment"),
    Code.ORIGIN_DENIED: Meaning(403, "This page's origin is not allowed"),
    Code.INVALID_SIGNATURE: Meaning(401, "The signature does not match"),
    Code.TIMESTAMP_OUT_OF_WINDOW: Meaning(401, "The timestamp is more than 30 s from the server's clock"),
    Code.SIGNATURE_REUSED: Meaning(401, "This signature has been used already"),
    Code.CSRF_FAILED: Meaning(403, "The request lacks a valid CSRF token"),
    Code.RATE_LIMITED: Meaning(429, "Too many requests"),
    Code.SLOW_CONSUMER: Meaning(429, "The connection reads too slowly"),
    Code.PRODUCT_HAS_SOURCE: Meaning(409, "Another source publishes this product"),
    Code.CROSSED: Meaning(422, "The bid is above the ask"),
    Code.NOT_POSITIVE: Meaning(422, "A price is zero or negative"),
    Code.OUT_OF_BAND: Meaning(422, "The price is outside the product's bounds or jumps too far"),
    Code.OUT_OF_ORDER: Meaning(422, "The tick is older than the product's last one"),
    Code.LATE: Meaning(422, "The tick belongs to a candle that is closed already"),
    Code.FUTURE_TICK: Meaning(422, "The tick's time is more than 5 s ahead of the server's clock"),
    Code.INVALID_PRICE: Meaning(400, "The price is missing, not wanted, or not above zero"),
    Code.PRICE_OFF_TICK: Meaning(422, "The price has more decimal places than the product"),
    Code.PRICE_WRONG_SIDE: Meaning(422, "A limit or stop order's price is on the wrong side of the market"),
    Code.SIZE_OUT_OF_BOUNDS: Meaning(422, "The size is below one contract or above the product's largest"),
    Code.LEVERAGE_NOT_ALLOWED: Meaning(422, "The leverage is outside the product's bounds"),
    Code.MARGIN_NOT_ALLOWED: Meaning(422, "The margin is outside its bounds"),
    Code.INVALID_TAKE_PROFIT: Meaning(422, "The take profit is on the wrong side of the price"),
    Code.INVALID_STOP_LOSS: Meaning(422, "The stop loss is not between the price and the liquidation price"),
    Code.CANNOT_SPLIT: Meaning(422, "The position is too small to be split like that"),
    Code.NOTHING_TO_UPDATE: Meaning(400, "The update names nothing that can be changed"),
    Code.INVALID_AMOUNT: Meaning(422, "The amount of money is not above zero or has more than 8 decimal places"),
    Code.INSUFFICIENT_BALANCE: Meaning(402, "The free balance is too small"),
    Code.MARKET_CLOSED: Meaning(402, "The product does not trade at this hour"),
    Code.PRICE_OUTDATED: Meaning(402, "The product has no price that is fresh enough"),
    Code.HALTED: Meaning(402, "Trading in the product is halted"),
    Code.VALID_UNTIL_PAST: Meaning(422, "The time of valid_until has passed"),
    Code.CLIENT_ORDER_ID_REUSED: Meaning(409, "Another order has this client_order_id"),
    Code.TOO_MANY_TRADES: Meaning(402, "Too many open orders and positions"),
    Code.NOT_DEMO: Meaning(403, "Only a demo account can be reset"),
    Code.POSITION_CLOSED: Meaning(409, "The position is closed already"),
    Code.ORDER_ENDED: Meaning(409, "The order is filled or cancelled already"),
    Code.NOT_FOUND: Meaning(404, "Not found"),
    Code.METHOD_NOT_ALLOWED: Meaning(405, "This method is not allowed here"),
    Code.UNSUPPORTED_MEDIA_TYPE: Meaning(415, "This content type is not supported"),
    Code.UNAVAILABLE: Meaning(503, "Temporarily unavailable; try again"),
    Code.INTERNAL_ERROR: Meaning(500, "Internal error"),
}


class Refused(Exception):
    """Somebody asked for what they may not or cannot have: a named reason, never a traceback.

    `details` holds extra fields for the answer in snake_case (`retry_after_ms`, `server_time`, `drift_ms`).
    """

    def __init__(self, code: Code, message: str = "", **details: int | str) -> None:
        super().__init__(code.value)
        self.code = code
        self.message = message or ERRORS[code].message
        self.details = details


@dataclass(frozen=True, slots=True)
class Close:
    """Why a WebSocket is closed: the code on the wire, its reason text, and whether a client should come back."""

    code: int
    reason: str
    reconnect: bool
    error: Code | None = field(default=None)


NORMAL = Close(1000, "normal", reconnect=False)
GOING_AWAY = Close(1001, "going_away", reconnect=True)
LOGIN_REQUIRED = Close(1008, "login_required", reconnect=False)
TOO_LARGE = Close(1009, "message_too_large", reconnect=False)
INTERNAL = Close(1011, "internal_error", reconnect=True)
RESTART = Close(1012, "restart", reconnect=True)
AUTH_TIMEOUT = Close(4001, "auth_timeout", reconnect=True, error=Code.AUTH_TIMEOUT)
AUTH_FAILED = Close(4003, "authentication_failed", reconnect=False)
SLOW_CONSUMER = Close(4008, "slow_consumer", reconnect=True, error=Code.SLOW_CONSUMER)
ACCESS_REVOKED = Close(4010, "access_revoked", reconnect=False)
ENDED_BY_STAFF = Close(4011, "ended_by_administrator", reconnect=False)
TOO_MANY_CONNECTIONS = Close(4029, "too_many_connections", reconnect=True, error=Code.TOO_MANY_CONNECTIONS)

CLOSES: tuple[Close, ...] = (
    NORMAL, GOING_AWAY, LOGIN_REQUIRED, TOO_LARGE, INTERNAL, RESTART,
    AUTH_TIMEOUT, AUTH_FAILED, SLOW_CONSUMER, ACCESS_REVOKED, ENDED_BY_STAFF, TOO_MANY_CONNECTIONS,
)  # fmt: skip
