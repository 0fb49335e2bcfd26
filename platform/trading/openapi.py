"""How the OpenAPI description shows the calls about trades and money; the examples are the documents' own."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from accounts.api import SESSION_ONLY
from trading.requests import SIDES, TYPES
from trading.selectors import MAX_ROWS, TRANSACTIONS

_Call = TypeVar("_Call", bound=Callable[..., Any])

ID = "bf2b704c-010a-48ca-93fb-d0193f24420a"
ORDER = {
    "id": ID, "product": "EUR-USD", "price": "1.26635", "side": "buy", "leverage": "300", "amount": 1000000,
    "margin": "3.33333333", "base_size": "1000", "base_currency": "BTC", "type": "market",
    "liquidation_price": "1.26354", "decay_rate": "0.0002", "created_at": 1511482279492,
}  # fmt: skip
POSITION = {**ORDER, "opened_at": 1511482876413}
CLOSED = {
    **{name: value for name, value in ORDER.items() if name != "created_at"},
    "close_price": "1.26995", "pnl": "2.84281590", "pnl_percent": "85.2845", "reason": "manual", "decay": "0",
    "created_at": 1511482279492, "opened_at": 1511482876413, "closed_at": 1511483816212,
}  # fmt: skip
UPDATED = {**ORDER, "take_profit": "1.28898", "stop_loss": "1.26477", "updated_at": 1511482476135}
SPLIT = {
    "success": True,
    "data": {
        "parent_id": ID,
        "first_position": {**POSITION, "id": "9d335cce-d581-45f6-8efc-bdab3d61c6e2", "amount": 400000},
        "second_position": {**POSITION, "id": "0f6a2e10-53c1-4c6e-9f6c-0d2a1c1b7f1e", "amount": 600000},
    },
}


class Number(serializers.DecimalField):
    """A plain decimal number, as a string or a JSON number."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=25, decimal_places=10, **options)


class NewRequest(serializers.Serializer[Any]):
    """An order; a `pending` one is a limit or a stop by its price against the market's."""

    product = serializers.CharField()
    side = serializers.ChoiceField(list(SIDES))
    type = serializers.ChoiceField(list(TYPES))
    leverage = Number()
    amount = serializers.IntegerField(min_value=1, help_text="Contracts; one is 0.001 BTC.")
    base_currency = serializers.ChoiceField(["BTC"], required=False)
    price = Number(required=False, help_text="Of a pending order.")
    take_profit = Number(required=False)
    stop_loss = Number(required=False)
    client_order_id = serializers.RegexField(
        r"^[A-Za-z0-9._:-]{1,64}$", required=False,
        help_text="Your own name for it: the same order again gets the first answer again.",
    )  # fmt: skip
    valid_until = serializers.IntegerField(required=False, help_text="Time in ms; a pending order is then cancelled.")


class TradeId(serializers.Serializer[Any]):
    id = serializers.UUIDField()


class UpdateRequest(TradeId):
    """Left out: stays as it is; 0 removes a take profit or stop loss. If both come, margin wins over leverage."""

    price = Number(required=False, help_text="Pending orders only.")
    take_profit = Number(required=False)
    stop_loss = Number(required=False)
    leverage = Number(required=False, help_text="Of a position only down.")
    margin = Number(required=False, help_text="Of a position only up.")


class SplitRequest(TradeId):
    ratio = serializers.CharField(help_text="Percentages of both parts, 5 to 95, such as 40:60.")


class Error(serializers.Serializer[Any]):
    """Why not: `code` is stable (docs/errors.md), `message` is for people."""

    message = serializers.CharField()
    code = serializers.CharField()


REFUSALS = {
    400: "A parameter is missing, unknown or of the wrong form",
    401: "Nobody, or not proven",
    402: "Refused by the market's or the account's state: balance, hours, price, too many trades",
    403: "The scope or the environment is missing",
    404: "No such trade of this account, or no such product",
    409: "Ended already, or another order has this client_order_id",
    422: "A number is outside what the product allows",
    429: "Too many calls; see Retry-After",
    503: "The engine is away, and what became of the call is not known: look it up, or send the same client_order_id",
}


def _refusals(*statuses: int) -> dict[int, OpenApiResponse]:
    return {status: OpenApiResponse(Error, description=REFUSALS[status]) for status in statuses}


def _parameter(name: str, kind: Any, description: str, **options: Any) -> OpenApiParameter:
    return OpenApiParameter(name, kind, description=description, **options)


DEMO = _parameter("demo", OpenApiTypes.BOOL, "The demo account's, not the live one's.", default=False)
LIMIT = _parameter("limit", OpenApiTypes.INT, f"How many, at most {MAX_ROWS}.", default=MAX_ROWS)
BEFORE = _parameter("timestamp", OpenApiTypes.INT64, "Only what was before this time in ms.")


def _described(
    summary: str, answer: Any, *, request: Any = None, parameters: tuple[OpenApiParameter, ...] = ()
) -> Callable[[_Call], _Call]:
    """Return the decorator of a call: its answer is the example."""
    refusals = (400, 401, 402, 403, 404, 409, 422, 429, 503) if request else (400, 401, 403, 404, 429)
    return extend_schema(
        summary=summary,
        description=f"Needs the scope {'trade' if request else 'read'}.",
        request=request,
        parameters=[DEMO, *parameters],
        responses={200: OpenApiResponse(OpenApiTypes.OBJECT), **_refusals(*refusals)},
        examples=[OpenApiExample("answer", value=answer, response_only=True, status_codes=["200"])],
    )


new = _described("Place an order; the answer is the order", ORDER, request=NewRequest)
cancel = _described("Cancel a pending order", {"id": ID}, request=TradeId)
update = _described("Change an order or a position", UPDATED, request=UpdateRequest)
close = _described("Close a position at the market", CLOSED, request=TradeId)
split = _described("Make two positions of one", SPLIT, request=SplitRequest)
outcome = _described(
    "What became of an order, by its id or its client_order_id",
    {"status": "open", "order": ORDER, "position": POSITION},
    parameters=(
        _parameter("id", OpenApiTypes.UUID, "The order's or position's id."),
        _parameter("client_order_id", OpenApiTypes.STR, "Or the name that it was given."),
    ),
)
orders = _described("Pending orders, newest first", [{**ORDER, "type": "pending"}], parameters=(LIMIT,))
positions = _described("Open positions, newest first", [POSITION], parameters=(LIMIT,))
history = _described("Closed positions, the latest first", [CLOSED], parameters=(BEFORE, LIMIT))
balances = _described("Free cash by asset", {"BTC": "11.88900211"})
transactions = _described(
    f"Deposits and withdrawals ({', '.join(TRANSACTIONS)}), the latest first",
    [{"asset": "BTC", "amount": "0.20000000", "type": "deposit", "timestamp": 1511482279491}],
    parameters=(_parameter("asset", OpenApiTypes.STR, "Only of this asset."), BEFORE, LIMIT),
)
events = _described(
    "The account's event log: what the private channels said, oldest first",
    {
        "epoch": "3f0e2f64-6a0e-4d8e-8a53-7a50a3c7f0c2",
        "offset": 2,
        "events": [{"event": "order_demo:new", "data": ORDER, "offset": 2}],
    },
    parameters=(_parameter("after", OpenApiTypes.INT64, "Only behind this offset.", default=0), LIMIT),
)
account = _described(
    "What the account is worth at the last prices",
    {
        "environment": "demo", "currency": "BTC", "balance": "6.66666667", "margin_used": "3.33333333",
        "unrealised_pnl": "2.84281590", "equity": "12.84281590",
    },
)  # fmt: skip
reset = extend_schema(
    summary="Begin the demo account anew: close, cancel, 10 BTC",
    description="For the browser that is logged in.",
    request=None,
    responses={200: OpenApiResponse(OpenApiTypes.OBJECT), **_refusals(401, 403, 503)},
    examples=[OpenApiExample("answer", value={"BTC": "10.00000000"}, response_only=True, status_codes=["200"])],
    auth=SESSION_ONLY,
)
