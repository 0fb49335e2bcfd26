"""REST for public data: time, products, quotes, candles; and ticks in. Source: protocols, section 6."""

import time
from decimal import Decimal
from typing import Any

from asgiref.sync import async_to_sync
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import require
from accounts.errors import Code, Refused
from engine.values import RESOLUTIONS, Candle, NumberInvalid, Tick, parse_number, plain
from market import live, models, store

MAX_CANDLES = 150
MAX_TICKS = 1_000
MAX_PRODUCTS = 200
"""Products in one request for quotes: what fits into an address."""

SIGNALS = ("mid", "bid", "ask")
_MAX_STAMP_S = 10**11


class TimeView(APIView):
    @extend_schema(
        summary="The server's time, and how far the client's is off",
        parameters=[OpenApiParameter("client_time", OpenApiTypes.INT64, description="the client's time in ms")],
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> Response:
        now_ms = time.time_ns() // 1_000_000
        answer: dict[str, int] = {"timestamp": now_ms}
        if request.query_params.get("client_time"):
            answer["drift"] = now_ms - _whole(request, "client_time", default=0, highest=10**15)
        return Response(answer)


class ProductsView(APIView):
    @extend_schema(summary="All products by group, or one", responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, product: str = "") -> Response:
        if product:
            return Response(_product_object(_row(product)))
        groups: dict[str, list[Any]] = {"forex": [], "crypto": []}
        for row in models.Product.objects.filter(enabled=True):
            fields = _product_object(row)
            name, size = fields.pop("product"), fields.pop("max_size")
            entry = [name, fields["max_leverage"], fields["tick"], fields["decay_rate"], {"BTC": size["BTC"]}]
            groups.setdefault(row.group, []).append([*entry, row.title])
        return Response(groups)


class QuotesView(APIView):
    @extend_schema(summary="Last quotes: product → [mid, bid, ask, timestamp]", responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, products: str) -> Response:
        names = [name for name in products.split(",") if name]
        if len(names) > MAX_PRODUCTS:
            raise Refused(Code.TOO_MANY_NAMES, f"At most {MAX_PRODUCTS} products in one request")
        rows = {row.name: row for row in models.Product.objects.filter(enabled=True)}
        by_symbol = {row.symbol: row.name for row in rows.values()}
        answer = {}
        for text in names:
            name = text.upper() if text.upper() in rows else by_symbol.get(text.upper().replace("-", ""), "")
            if not name:
                raise Refused(Code.UNKNOWN_PRODUCT)
            quote = live.board.quotes.get(name)
            if quote is not None:
                answer[name] = [plain(quote.mid), plain(quote.bid), plain(quote.ask), quote.time_ms]
        return Response(answer)


class CandlesView(APIView):
    @extend_schema(
        summary="Candles, newest first: rows of [t, open, high, low, close]",
        parameters=[
            OpenApiParameter("signal", OpenApiTypes.STR, enum=SIGNALS, default="mid"),
            OpenApiParameter("start", OpenApiTypes.INT64, description="first bucket's start in s, inclusive"),
            OpenApiParameter("end", OpenApiTypes.INT64, description="last bucket's start in s, inclusive"),
            OpenApiParameter("limit", OpenApiTypes.INT, default=MAX_CANDLES, description=f"at most {MAX_CANDLES}"),
        ],
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, product: str, resolution: str) -> Response:
        row = _row(product)
        if resolution not in RESOLUTIONS:
            raise Refused(Code.INVALID_RESOLUTION)
        signal = request.query_params.get("signal", "mid")
        if signal not in SIGNALS:
            raise Refused(Code.INVALID_PARAMETER, f"signal is one of {', '.join(SIGNALS)}")
        limit = _whole(request, "limit", default=MAX_CANDLES, lowest=1, highest=MAX_CANDLES)
        start_s = _whole(request, "start", default=0)
        end_s = _whole(request, "end", default=_MAX_STAMP_S)
        candles = _history(row, resolution, start_s=start_s, end_s=end_s, limit=limit)
        return Response([[str(candle.start_s), *map(plain, getattr(candle, signal))] for candle in candles])


class TicksView(APIView):
    @extend_schema(
        summary="Publish ticks (scope feed)", request=OpenApiTypes.OBJECT, responses={200: OpenApiTypes.OBJECT}
    )
    def post(self, request: Request) -> Response:
        identity = require(request, "feed")
        ticks = _ticks(request.data)
        refused = async_to_sync(live.submit_ticks)(ticks, f"key:{identity.key_id}")
        return Response(
            {
                "accepted": len(ticks) - len(refused),
                "refused": [{"index": index, "code": str(code)} for index, code in refused],
            }
        )


def _history(row: models.Product, resolution: str, *, start_s: int, end_s: int, limit: int) -> list[Candle]:
    """Return stored candles and those that storage has not caught up with, newest first."""
    stored = store.candles_read(row, resolution, start_s=start_s, end_s=end_s, limit=limit)
    by_start = {candle.start_s: candle for candle in stored}
    for candle in live.board.recent(row.name, resolution):
        known = by_start.get(candle.start_s)
        # A closed one is final: this process may have missed that what it knows as open has closed.
        if start_s <= candle.start_s <= end_s and (known is None or candle.closed or not known.closed):
            by_start[candle.start_s] = candle
    return [by_start[start] for start in sorted(by_start, reverse=True)[:limit]]


def _product_object(row: models.Product) -> dict[str, Any]:
    return {
        "product": row.name,
        "max_leverage": str(row.max_leverage),
        "tick": plain(Decimal(1).scaleb(-row.digits)),
        "decay_rate": plain(row.decay_rate),
        "max_size": {"BTC": plain(row.max_size)},
        "name": row.title,
        "liquidation_fraction": f"{row.liquidation_numerator}/{row.liquidation_denominator}",
    }


def _row(text: str) -> models.Product:
    """Return the product of any spelling; raises `Refused` (UNKNOWN_PRODUCT)."""
    name = text.upper()
    rows = models.Product.objects.filter(enabled=True)
    row = None
    if name.isascii() and name.isprintable():  # PostgreSQL does not even take a NUL to compare with
        row = rows.filter(name=name).first() or rows.filter(symbol=name.replace("-", "")).first()
    if row is None:
        raise Refused(Code.UNKNOWN_PRODUCT)
    return row


def _whole(request: Request, name: str, *, default: int, lowest: int = 0, highest: int = _MAX_STAMP_S) -> int:
    """Return a whole number of the query string; raises `Refused` that names it."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 16) or not lowest <= int(text) <= highest:
        raise Refused(Code.INVALID_PARAMETER, f"{name} is a whole number from {lowest} to {highest}")
    return int(text)


def _ticks(body: Any) -> list[Tick]:
    rows = body.get("ticks") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise Refused(Code.INVALID_PARAMETER, "ticks is a list of [symbol, bid, ask, time in ms]")
    if len(rows) > MAX_TICKS:
        raise Refused(Code.TOO_MANY_NAMES, f"At most {MAX_TICKS} ticks in one request")
    return [_tick(index, row) for index, row in enumerate(rows)]


def _tick(index: int, row: Any) -> Tick:
    if not (isinstance(row, list) and len(row) == 4 and isinstance(row[0], str) and type(row[3]) is int):
        raise Refused(Code.INVALID_PARAMETER, f"ticks[{index}] is not [symbol, bid, ask, time in ms]")
    try:
        # A JSON fraction is a Decimal already: the reader of bodies has no floats.
        bid, ask = (price if isinstance(price, Decimal) else parse_number(str(price)) for price in row[1:3])
    except NumberInvalid:
        raise Refused(Code.INVALID_NUMBER, f"ticks[{index}]: a price is not a plain number") from None
    return Tick(row[0], bid, ask, row[3])
