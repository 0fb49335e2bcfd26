"""Pages of the administrator as a test reads them, and a history that gives every page something to show."""

import re
import uuid
from decimal import Decimal
from html import unescape

from django.urls import reverse

from accounts.models import User
from engine.commands import CancelOrder, ClosePosition, Deposit, OpenAccount, SplitPosition
from engine.values import AccountId
from tests.trading.engines import OPENED_MS, SmallEngine
from tests.trading.inboxes import bought, serve
from trading.inbox import inbox_put
from trading.models import AccountEvent, Balance, InboxCommand, JournalEntry, LedgerEntry, Order, Position

MODELS = (Order, Position, Balance, LedgerEntry, AccountEvent, JournalEntry, InboxCommand)
PENDING, OPEN, CANCELLED, CLOSED, SPLIT, FIRST, SECOND = (str(uuid.UUID(int=number)) for number in range(1, 8))


def given_history(engine: SmallEngine, ann: User, bob: User) -> None:
    """Let Ann trade with her demo money and Bob have live money; administrators have asked for this and that."""
    demo, live = AccountId("demo", ann.pk), AccountId("live", bob.pk)
    engine.do(
        OpenAccount(account=demo),
        bought(demo, PENDING, price="1.2", client_order_id="till-7"),
        bought(demo, OPEN),
        bought(demo, CANCELLED, price="1.2"),
        CancelOrder(account=demo, id=CANCELLED),
        bought(demo, CLOSED),
        bought(demo, SPLIT),
        SplitPosition(account=demo, id=SPLIT, first_percent=40, first_id=FIRST, second_id=SECOND),
        OpenAccount(account=live),
        Deposit(account=live, amount=Decimal("2.5")),
    )
    engine.now_ms = OPENED_MS
    engine.do(ClosePosition(account=demo, id=CLOSED))
    inbox_put("withdraw", {"user": "bob", "environment": "live", "amount": "99"}, ann)
    serve(engine)
    inbox_put("deposit", {"user": "bob", "environment": "live", "amount": "0.5"}, None)


def list_of(model):
    return reverse(f"admin:trading_{model._meta.model_name}_changelist")


def page_of(row):
    return reverse(f"admin:trading_{row._meta.model_name}_change", args=[row.pk])


def text_of(client, path, **query):
    """Return what a page says."""
    answer = client.get(path, query)
    assert answer.status_code == 200, (path, query, answer.get("Location"))
    return plain(answer)


def plain(answer):
    """Return a page without its markup, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def listed(client, model, **query):
    """Return the keys of the rows that a list shows."""
    answer = client.get(list_of(model), query)
    assert answer.status_code == 200, (query, answer.get("Location"))
    return {str(row.pk) for row in answer.context["cl"].result_list}


def one_of_each(model):
    """Return a row of every status or kind that there is."""
    kind = next(name for name in ("status", "kind", "name", "environment") if hasattr(model, name))
    return list({getattr(row, kind): row for row in model.objects.all()}.values())


def keys_of(rows):
    return {str(row.pk) for row in rows}


def acted(client, model, action, *rows, **more):
    """Choose an action for rows of a list; return what the next page says."""
    fields = {"action": action, "_selected_action": [row.pk for row in rows], **more}
    answer = client.post(list_of(model), fields, follow=True)
    assert answer.status_code == 200
    return plain(answer)
