"""REST for orders, positions and money. Source: protocols, section 6.

What the engine answers goes out byte for byte. `?demo=true` means the demo account; parameters are read from the JSON
body, a form and the query string, of a POST too.
"""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from asgiref.sync import async_to_sync
from django.db import close_old_connections, connection
from django.http import HttpResponse, QueryDict
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.authentication import require, require_browser
from accounts.errors import Code, Refused
from accounts.identity import Identity
from engine.values import AccountId
from engine.wire import CURRENCY, money
from market.live import board
from streaming.dialects.event_stream import event_name
from streaming.identifiers import fresh_id
from trading import openapi, selectors, services
from trading.requests import (
    MAX_STAMP_MS,
    merged,
    read_client_order_id,
    read_environment,
    read_id,
    read_whole,
)
from trading.selectors import MAX_ROWS, TRANSACTIONS, array

TAKEN_BY_REST = ("demo", "csrfmiddlewaretoken")
"""Parameters that are about the call, not about the trade."""


class TradeView(APIView):
    """What the five calls have in common."""

    def done(self, request: Request, action: str) -> HttpResponse:
        identity = require(request, "trade")
        params = _parameters(request)
        environment = read_environment(params)
        wishes = {name: value for name, value in params.items() if name not in TAKEN_BY_REST}
        return _json(_waited(services.trade, identity, action, environment, wishes, fresh_id()))


class NewView(TradeView):
    @openapi.new
    def post(self, request: Request) -> HttpResponse:
        return self.done(request, "new")


class CancelView(TradeView):
    @openapi.cancel
    def post(self, request: Request) -> HttpResponse:
        return self.done(request, "cancel")


class UpdateView(TradeView):
    @openapi.update
    def post(self, request: Request) -> HttpResponse:
        return self.done(request, "update")


class CloseView(TradeView):
    @openapi.close
    def post(self, request: Request) -> HttpResponse:
        return self.done(request, "close")


class SplitView(TradeView):
    @openapi.split
    def post(self, request: Request) -> HttpResponse:
        return self.done(request, "split")


class OutcomeView(APIView):
    @openapi.outcome
    def get(self, request: Request) -> HttpResponse:
        account, params = _read_call(request)
        if "client_order_id" in params:
            return _json(selectors.outcome(account, client_order_id=read_client_order_id(params)))
        return _json(selectors.outcome(account, id=read_id(params)))


class OrdersView(APIView):
    @openapi.orders
    def get(self, request: Request) -> HttpResponse:
        account, params = _read_call(request)
        return _json(array(selectors.open_orders(account, _limit(params))))


class PositionsView(APIView):
    @openapi.positions
    def get(self, request: Request) -> HttpResponse:
        account, params = _read_call(request)
        return _json(array(selectors.open_positions(account, _limit(params))))


class HistoryView(APIView):
    @openapi.history
    def get(self, request: Request, product: str = "") -> HttpResponse:
        account, params = _read_call(request)
        return _json(array(selectors.closed_positions(account, product, _before_ms(params), _limit(params))))


class BalancesView(APIView):
    @openapi.balances
    def get(self, request: Request, asset: str = CURRENCY) -> HttpResponse:
        account, _ = _read_call(request)
        if asset != CURRENCY:
            raise Refused(Code.NOT_FOUND, "There is no such asset")
        return _json(selectors.balances(account))


class TransactionsView(APIView):
    @openapi.transactions
    def get(self, request: Request, type: str = "") -> HttpResponse:
        account, params = _read_call(request)
        if type and type not in TRANSACTIONS:
            raise Refused(Code.NOT_FOUND, f"A transaction is one of {', '.join(TRANSACTIONS)}")
        if params.get("asset") not in (None, "", CURRENCY):
            raise Refused(Code.NOT_FOUND, "There is no such asset")
        return _json(_text(selectors.transactions(account, type, _before_ms(params), _limit(params))))


class EventsView(APIView):
    @openapi.events
    def get(self, request: Request) -> HttpResponse:
        account, params = _read_call(request)
        after = read_whole(params, "after", default=0)
        events = selectors.page(account, after, _limit(params))
        epoch, heads = selectors.head([account])
        texts = array(
            f'{{"event":"{event_name(event.environment, event.name)}","data":{event.data},"offset":{event.offset}}}'
            for event in events
        )
        return _json(f'{{"epoch":"{epoch}","offset":{heads[account]},"events":{texts}}}')


class AccountView(APIView):
    @openapi.account
    def get(self, request: Request) -> HttpResponse:
        account, _ = _read_call(request)
        summary = selectors.summary(account, board.quotes)
        amounts = {
            "balance": summary.balance,
            "margin_used": summary.margin,
            "unrealised_pnl": summary.unrealised_pnl,
            "equity": summary.equity,
        }
        texts = {name: money(amount) for name, amount in amounts.items()}
        return _json(_text({"environment": account.environment, "currency": CURRENCY, **texts}))


class ResetView(APIView):
    @openapi.reset
    def post(self, request: Request) -> HttpResponse:
        require_browser(request)
        identity = request.auth
        assert isinstance(identity, Identity)
        return _json(_waited(services.account_reset, identity))


def _waited(call: Callable[..., Awaitable[str]], *arguments: object) -> str:
    """Return the engine's answer, waited for without a database connection.

    A process has a dozen on PostgreSQL: waiting calls that hold them all would keep what they wait for from having one.
    """
    if not connection.in_atomic_block:
        close_old_connections()
    return async_to_sync(call)(*arguments)


def _read_call(request: Request) -> tuple[AccountId, Mapping[str, object]]:
    """Return whose account a read is about, and its parameters; raises `Refused`."""
    identity = require(request, "read")
    params = merged(_pairs(request.query_params))
    return services.permitted(identity, "read", read_environment(params)), params


def _parameters(request: Request) -> dict[str, object]:
    return merged(_pairs(request.query_params), _pairs(request.data))


def _pairs(source: Any) -> Iterator[tuple[str, object]]:
    """Yield the parameters of a query string, a form or a JSON object; a form may name one several times."""
    if not isinstance(source, QueryDict):
        yield from source.items()
        return
    for name, values in source.lists():
        for value in values:
            yield name, value


def _limit(params: Mapping[str, object]) -> int:
    return read_whole(params, "limit", default=MAX_ROWS, lowest=1, highest=MAX_ROWS)


def _before_ms(params: Mapping[str, object]) -> int:
    return read_whole(params, "timestamp", default=MAX_STAMP_MS)


def _text(answer: object) -> str:
    return json.dumps(answer, separators=(",", ":"))


def _json(text: str) -> HttpResponse:
    """Return ready-made JSON; no cache may keep what is somebody's own."""
    return HttpResponse(text, content_type="application/json", headers={"Cache-Control": "no-store"})
