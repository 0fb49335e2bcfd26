"""The private events of the event document: its own trade, word for word. (Its `position:split` shows no positions.)

The document's times are of different trades; where a test makes the trade itself, it puts its own in their place.
"""

import json

ORDER_NEW = """{
    "id": "bf2b704c-010a-48ca-93fb-d0193f24420a",
    "product": "EUR-USD",
    "price": "1.26635",
    "side": "buy",
    "leverage": "300",
    "amount": 1000000,
    "margin": "3.33333333",
    "base_size": "1000",
    "base_currency": "BTC",
    "type": "market",
    "liquidation_price": "1.26354",
    "decay_rate": "0.0002",
    "created_at": 1511482279492
}"""

ORDER_CANCEL = ORDER_ACTIVATE = """{
    "id": "bf2b704c-010a-48ca-93fb-d0193f24420a",
    "product": "EUR-USD"
}"""

ORDER_UPDATE = """{
    "id": "bf2b704c-010a-48ca-93fb-d0193f24420a",
    "product": "EUR-USD",
    "price": "1.26635",
    "side": "buy",
    "leverage": "300",
    "amount": 1000000,
    "margin": "3.33333333",
    "base_size": "1000",
    "base_currency": "BTC",
    "type": "market",
    "liquidation_price": "1.26354",
    "take_profit": "1.28898",
    "stop_loss": "1.26477",
    "decay_rate": "0.0002",
    "created_at": 1511482279492,
    "updated_at": 1511482476135
}"""

POSITION_NEW = """{
    "id": "bf2b704c-010a-48ca-93fb-d0193f24420a",
    "product": "EUR-USD",
    "price": "1.26635",
    "side": "buy",
    "leverage": "300",
    "amount": 1000000,
    "margin": "3.33333333",
    "base_size": "1000",
    "base_currency": "BTC",
    "type": "market",
    "liquidation_price": "1.26354",
    "decay_rate": "0.0002",
    "created_at": 1511482279492,
    "opened_at": 1511482876413
}"""

POSITION_CLOSE = """{
    "id": "bf2b704c-010a-48ca-93fb-d0193f24420a",
    "product": "EUR-USD",
    "price": "1.26635",
    "side": "buy",
    "leverage": "300",
    "amount": 1000000,
    "margin": "3.33333333",
    "base_size": "1000",
    "base_currency": "BTC",
    "type": "market",
    "liquidation_price": "1.26354",
    "decay_rate": "0.0002",
    "close_price": "1.26995",
    "pnl": "2.84281590",
    "pnl_percent": "85.2845",
    "reason": "manual",
    "decay": "0",
    "created_at": 1511482279492,
    "opened_at": 1511482876413,
    "closed_at": 1511483816212
}"""

POSITION_SPLIT = """{
    "parent_id": "bf2b704c-010a-48ca-93fb-d0193f24420a",
    "first_position": {},
    "second_position": {}
}"""

POSITION_UPDATE = """{
    "id": "bf2b704c-010a-48ca-93fb-d0193f24420a",
    "product": "EUR-USD",
    "price": "1.26635",
    "side": "buy",
    "leverage": "300",
    "amount": 1000000,
    "margin": "3.33333333",
    "base_size": "1000",
    "base_currency": "BTC",
    "type": "market",
    "liquidation_price": "1.26354",
    "take_profit": "1.28898",
    "stop_loss": "1.26477",
    "decay_rate": "0.0002",
    "created_at": 1511482279492,
    "opened_at": 1511482876413,
    "updated_at": 1511486476135
}"""

BALANCE = """{
    "BTC": "33.99388733"
}"""

TRADE_ID = "bf2b704c-010a-48ca-93fb-d0193f24420a"
CREATED_MS, OPENED_MS, CLOSED_MS = 1511482279492, 1511482876413, 1511483816212
ORDER_UPDATED_MS, POSITION_UPDATED_MS = 1511482476135, 1511486476135


def line(text: str, **changes) -> str:
    """Return the document's object as it goes over the wire, its keys in their order; `changes` put values in place.

    A key that the document does not have comes behind its keys.
    """
    return json.dumps(json.loads(text) | changes, separators=(",", ":"))
