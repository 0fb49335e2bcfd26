"""The administrator's pages of trading, as a browser opens them: they show everything, and edit nothing."""

import re
import uuid
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.models import User
from market.models import Product
from tests.accounts.callers import PASSWORD
from tests.trading.inboxes import serve, serving
from tests.trading.pages import (
    CANCELLED,
    CLOSED,
    FIRST,
    MODELS,
    OPEN,
    PENDING,
    SECOND,
    SPLIT,
    acted,
    given_history,
    keys_of,
    list_of,
    listed,
    one_of_each,
    page_of,
    plain,
    text_of,
)
from trading import asking, reading
from trading.inbox import inbox_waiting
from trading.models import AccountEvent, Balance, InboxCommand, JournalEntry, LedgerEntry, Order, Position


@pytest.fixture(autouse=True)
def _do_not_wait(monkeypatch):
    monkeypatch.setattr(asking, "ANSWER_WAIT_S", 0)


@pytest.fixture
def admin(client, transactional_db):
    client.force_login(User.objects.create_superuser("chief", password=PASSWORD))
    return client


@pytest.fixture
def clerk(client, transactional_db):
    """Somebody who may read everything, and ask for nothing."""
    user = User.objects.create_user("clerk", password=PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    return client


@pytest.fixture
def traded(engine, ann, bob):
    given_history(engine, ann, bob)
    return engine


# ---- reading


@pytest.mark.parametrize("who", ["admin", "clerk"])
def test_every_page_opens_and_offers_nothing_to_edit(request, who, traded):
    client = request.getfixturevalue(who)
    index = text_of(client, "/admin/trading/").lower()
    for model in MODELS:
        assert str(model._meta.verbose_name_plural) in index
        assert client.get(list_of(model)).context["cl"].result_count == model.objects.count()
        assert client.get(list_of(model) + "add/").status_code == 403
        for row in one_of_each(model):
            answer = client.get(page_of(row))
            assert answer.status_code == 200
            assert 'name="_save"' not in answer.content.decode()
        assert client.get(page_of(row).replace("/change/", "/history/")).status_code == 200
        assert client.get(page_of(row).replace("/change/", "/delete/")).status_code == 403


def test_nothing_is_edited_or_deleted_by_posting(admin, traded):
    before = {model: list(model.objects.order_by("pk").values()) for model in MODELS}
    for model in MODELS:
        row = model.objects.first()
        fields = {field.name: "1" for field in model._meta.concrete_fields}
        for path in (page_of(row), page_of(row).replace("/change/", "/delete/"), list_of(model) + "add/"):
            assert admin.post(path, {**fields, "post": "yes"}).status_code == 403
        acted(admin, model, "delete_selected", row, post="yes")
    assert {model: list(model.objects.order_by("pk").values()) for model in MODELS} == before


def test_money_has_eight_places_prices_their_digits_and_times_are_readable(admin, traded):
    text = text_of(admin, page_of(Position.objects.get(pk=CLOSED)))
    for shown in ("1.26635", "1.26630", "0.01000000", "-0.00003948", "-0.3948",
                  "1511482876413", "2017-11-24 00:21:16.413"):  # fmt: skip
        assert shown in text
    assert "Locked in open positions and pending orders." in text_of(admin, page_of(Balance.objects.first()))
    assert "2.50000000" in text_of(admin, list_of(Balance))
    assert "2017-11-24 00:11:19.492" in text_of(admin, list_of(Order))


def test_a_trade_is_found_by_name_id_client_order_id_and_product(admin, traded):
    for word, orders in {
        "an": {PENDING, OPEN, CANCELLED, CLOSED, SPLIT},
        "bob": set(),
        PENDING: {PENDING},
        PENDING.replace("-", ""): {PENDING},
        "till-7": {PENDING},
        "till": set(),
        "EUR ann till-7": {PENDING},
        "BTC": set(),
    }.items():
        assert listed(admin, Order, q=word) == orders, word
    assert listed(admin, Position, q=FIRST) == {FIRST}
    assert listed(admin, Position, q="ann") == {OPEN, CLOSED, SPLIT, FIRST, SECOND}


def test_what_concerns_a_trade_is_found_by_its_id(admin, traded):
    ledger = LedgerEntry.objects.filter(reference=CLOSED)
    assert {entry.kind for entry in ledger} == {"margin", "loss", "release"}
    assert listed(admin, LedgerEntry, q=CLOSED) == keys_of(ledger)
    events = AccountEvent.objects.filter(data__contains=CLOSED)
    assert [event.name for event in events] == ["position:close", "position:new", "order:activate", "order:new"]
    assert listed(admin, AccountEvent, q=CLOSED) == keys_of(events)
    split = AccountEvent.objects.filter(name="position:split")
    assert listed(admin, AccountEvent, q=SECOND) == keys_of(split)
    for model in (LedgerEntry, AccountEvent):
        assert listed(admin, model, q=str(uuid.UUID(int=99))) == set()


def test_the_links_of_a_page_lead_to_what_belongs_to_it(admin, traded):
    links: dict[tuple[Any, str], str] = {}
    for row in (row for model in MODELS for row in one_of_each(model)):
        page = admin.get(page_of(row)).content.decode().split('id="content-main"')[1]
        found = re.findall(r'href="(/admin/trading/([a-z]+)/[^"]+)"', page)
        links |= {(type(row), target): link for link, target in found}
    assert len(links) > 14
    for link in links.values():
        assert admin.get(unescape(link)).status_code == 200, link
    page = admin.get(page_of(Position.objects.get(pk=CLOSED))).content.decode()
    (ledger,) = re.findall(r'href="(/admin/trading/ledgerentry/\?[^"]+)"', page)
    answer = admin.get(unescape(ledger))
    assert {str(entry.reference) for entry in answer.context["cl"].result_list} == {CLOSED}
    balance = admin.get(page_of(Balance.objects.get(environment="live"))).content.decode()
    (events,) = re.findall(r'href="(/admin/trading/accountevent/\?[^"]+)"', balance)
    assert {row.environment for row in admin.get(unescape(events)).context["cl"].result_list} == {"live"}


def test_other_rows_are_found_by_what_people_know_of_them(admin, traded, bob):
    entry = JournalEntry.objects.get(client_order_id="till-7")
    assert listed(admin, JournalEntry, q="till-7") == {str(entry.serial)}
    assert listed(admin, JournalEntry, q=str(entry.serial)) == {str(entry.serial)}
    assert listed(admin, JournalEntry, q="bob") == keys_of(JournalEntry.objects.filter(user=bob))
    assert listed(admin, LedgerEntry, q="1") == {"1"}
    assert listed(admin, Balance, q="bob") == keys_of(Balance.objects.filter(user=bob))
    assert listed(admin, InboxCommand, q="bob") == keys_of(InboxCommand.objects.all())
    assert listed(admin, InboxCommand, q="bob ann") == keys_of(InboxCommand.objects.filter(kind="withdraw"))
    assert listed(admin, InboxCommand, q="EUR-USD") == set()


def test_a_word_of_any_kind_may_be_looked_for(admin, traded):
    for word in ("9" * 30, "%", "'", "00000000-0000", "\u00e9" * 200, " ".join("abcdefghij")):
        for model in MODELS:
            assert listed(admin, model, q=word) == set(), (model, word)
    assert all(admin.get(list_of(model), {"q": "\0"}).status_code == 200 for model in MODELS)


def test_every_filter_filters(admin, traded):
    for model in MODELS:
        answer = admin.get(list_of(model))
        for spec in answer.context["cl"].filter_specs:
            *_, last = spec.choices(answer.context["cl"])
            assert admin.get(list_of(model) + last["query_string"]).status_code == 200
    assert listed(admin, Order, status__exact="open") == {PENDING}
    assert listed(admin, Position, reason__exact="manual") == {CLOSED}
    assert listed(admin, LedgerEntry, kind="deposit") == keys_of(LedgerEntry.objects.filter(kind="deposit"))
    assert listed(admin, AccountEvent, name="position:split") == keys_of(
        AccountEvent.objects.filter(name="position:split")
    )
    assert listed(admin, JournalEntry, kind="cancel_order", environment="demo") == keys_of(
        JournalEntry.objects.filter(kind="cancel_order")
    )
    assert listed(admin, InboxCommand, status__exact="refused") == keys_of(InboxCommand.objects.filter(kind="withdraw"))


def test_the_inbox_shows_what_was_asked_and_answered(admin, traded):
    text = text_of(admin, list_of(InboxCommand))
    assert "withdraw bob live 99 refused insufficient_balance" in text
    text = text_of(admin, page_of(InboxCommand.objects.get(kind="withdraw")))
    assert "99.00000000 needed, 2.50000000 available" in text
    assert '"amount": "99"' in text


def test_a_list_takes_few_queries_however_long_and_never_counts_all(
    admin, traded, django_assert_max_num_queries, monkeypatch
):
    monkeypatch.setattr(reading, "MAX_COUNTED", 1)
    for model in MODELS:
        with django_assert_max_num_queries(12) as queries:
            assert admin.get(list_of(model), {"_facets": "True"}).context["cl"].result_count == 1
        table = f'"{model._meta.db_table}"'
        counts = [query["sql"] for query in queries if "COUNT(" in query["sql"] and table in query["sql"]]
        assert counts
        assert all("LIMIT 1)" in sql for sql in counts)


# ---- asking


def asked_for():
    return [(row.kind, {name: row.params[name] for name in row.params if name not in ("user_id", "once")})
            for row in inbox_waiting(99) if row.created_by and row.created_by.username == "chief"]  # fmt: skip


def movement(**fields):
    return {"user": "bob", "environment": "live", "amount": "1.25", "once": "5f1d", **fields}


def test_selected_orders_and_positions_are_asked_to_end_and_it_is_noted(admin, traded):
    order, position = Order.objects.get(pk=PENDING), Position.objects.get(pk=OPEN)
    assert "waits for the engine" in acted(admin, Order, "cancel", order)
    acted(admin, Position, "close", position)
    ann = {"user": "ann", "environment": "demo"}
    assert asked_for() == [("cancel", {"id": PENDING, **ann}), ("close", {"id": OPEN, **ann})]
    assert [(entry.object_id, entry.change_message.split(" (")[0]) for entry in LogEntry.objects.order_by("pk")] == [
        (PENDING, "Asked the engine: cancel"), (OPEN, "Asked the engine: close")
    ]  # fmt: skip


def test_what_has_ended_is_refused_by_its_code_and_the_others_are_asked_for(admin, traded):
    text = acted(admin, Position, "close", *Position.objects.filter(pk__in=[CLOSED, SPLIT, FIRST]))
    assert text.count("position_closed: The position is closed already") == 2
    assert asked_for() == [("close", {"id": FIRST, "user": "ann", "environment": "demo"})]


def test_the_engines_answers_are_shown(admin, traded, monkeypatch):
    monkeypatch.setattr(asking, "ANSWER_WAIT_S", 30)
    with serving(traded):
        assert "Cancel, buy 1000 EUR-USD: done" in acted(admin, Order, "cancel", Order.objects.get(pk=PENDING))
        answer = admin.post("/admin/trading/balance/withdraw/", movement(amount="77"), follow=True)
    assert "insufficient_balance: 77.00000000 needed" in plain(answer)
    assert Order.objects.get(pk=PENDING).status == "cancelled"


def test_a_page_of_rows_is_the_most_that_is_asked_for_at_once(admin, traded, monkeypatch):
    monkeypatch.setattr(asking, "MAX_ASKED", 1)
    text = acted(admin, Position, "close", *Position.objects.all(), select_across="1")
    assert "At most 1 at once" in text
    assert asked_for() == []


def test_a_live_account_without_a_row_is_funded_by_the_form(admin, traded, ann):
    user_page = admin.get(reverse("admin:accounts_user_change", args=[ann.pk])).content.decode()
    (link,) = re.findall(r'href="(/admin/trading/balance/deposit/[^"]+)"', user_page)
    form = admin.get(link).context["form"]
    assert (form["user"].value(), form["environment"].value()) == ("ann", "")
    answer = admin.post(link, movement(user="ann", once=form["once"].value()), follow=True)
    assert "waits for the engine" in answer.content.decode()
    assert asked_for() == [("deposit", {"user": "ann", "environment": "live", "amount": "1.25"})]
    assert LogEntry.objects.get().object_id == str(ann.pk)
    serve(traded)
    assert Balance.objects.get(user=ann, environment="live").cash == Decimal("1.25")


@pytest.mark.parametrize("kind", ["deposit", "withdraw"])
def test_an_accounts_own_actions_open_the_form_filled_in(admin, traded, kind):
    balance = Balance.objects.get(environment="live")
    answer = admin.post(list_of(Balance), {"action": kind, "_selected_action": [balance.pk]})
    assert answer["Location"] == f"/admin/trading/balance/{kind}/?user=bob&environment=live"
    form = admin.get(answer["Location"]).context["form"]
    assert (form["user"].value(), form["environment"].value()) == ("bob", "live")
    assert "Select one account" in acted(admin, Balance, kind, *Balance.objects.all())


def test_a_form_sent_twice_moves_the_money_once(admin, traded):
    for _ in range(2):
        assert admin.post("/admin/trading/balance/deposit/", movement()).status_code == 302
    assert len(asked_for()) == 1
    admin.post("/admin/trading/balance/deposit/", movement(once="77aa"))
    assert len(asked_for()) == 2


def test_what_is_wrong_with_a_movement_is_said_in_the_form(admin, traded):
    for fields, words in (
        (movement(user="nobody"), "not_found: There is no user of this name"),
        (movement(amount="1,5"), "invalid_number"),
        (movement(amount="0"), "invalid_amount"),
        (movement(environment="paper"), "not one of the available choices"),
        (movement(once=""), "This field is required"),
    ):
        answer = admin.post("/admin/trading/balance/deposit/", fields)
        assert answer.status_code == 200
        assert words in plain(answer)
    assert asked_for() == []


def test_only_demo_accounts_are_reset(admin, traded):
    text = acted(admin, Balance, "reset", *Balance.objects.all())
    assert "not_demo: Only a demo account can be reset" in text
    assert asked_for() == [("reset", {"user": "ann", "environment": "demo"})]


def test_products_are_halted_and_resumed_by_the_engine(admin, traded):
    euro, products = Product.objects.get(name="EUR-USD"), reverse("admin:market_product_changelist")
    for action, halted in (("halt", True), ("resume", False)):
        admin.post(products, {"action": action, "_selected_action": [euro.pk]})
        assert asked_for() == [(action, {"product": "EUR-USD"})]
        serve(traded)
        euro.refresh_from_db()
        assert traded.book.state.terms["EUR-USD"].halted == euro.halted == halted


def test_a_products_own_page_says_what_a_change_means_and_halts_it(admin, traded):
    euro = Product.objects.get(name="EUR-USD")
    page = reverse("admin:market_product_change", args=[euro.pk])
    text = text_of(admin, page)
    for words in ("EUR-USD trades.", "Open trades keep their liquidation price until their margin changes",
                  "take profit, stop loss and liquidation wait"):  # fmt: skip
        assert words in text
    for kind, now in (("halt", "EUR-USD is halted."), ("resume", "EUR-USD trades.")):
        answer = admin.post(reverse(f"admin:market_product_{kind}", args=[euro.pk]))
        assert answer["Location"] == page
        assert asked_for() == [(kind, {"product": "EUR-USD"})]
        serve(traded)
        assert now in text_of(admin, page)
    assert admin.post(reverse("admin:market_product_halt", args=[99_999])).status_code == 404
    assert admin.get(reverse("admin:market_product_halt", args=[euro.pk])).status_code == 405


# ---- who may


def test_whoever_may_only_read_is_offered_no_action_and_can_do_none(clerk, traded):
    rows: dict[Any, list[str]] = {
        Order: ["cancel"], Position: ["close"], Balance: ["deposit", "withdraw", "reset"]
    }  # fmt: skip
    before = InboxCommand.objects.count()
    for model, actions in rows.items():
        assert 'name="action"' not in clerk.get(list_of(model)).content.decode()
        for action in actions:
            acted(clerk, model, action, *model.objects.all())
    clerk.post(reverse("admin:market_product_changelist"),
               {"action": "halt", "_selected_action": [Product.objects.get(name="EUR-USD").pk]})  # fmt: skip
    for kind in ("deposit", "withdraw"):
        assert clerk.get(f"/admin/trading/balance/{kind}/").status_code == 403
        assert clerk.post(f"/admin/trading/balance/{kind}/", movement()).status_code == 403
    assert "Deposit" not in text_of(clerk, list_of(Balance))
    assert InboxCommand.objects.count() == before


def test_whoever_may_deal_cancels_and_moves_no_money(clerk, traded):
    User.objects.get(username="clerk").user_permissions.add(Permission.objects.get(codename="deal"))
    acted(clerk, Order, "cancel", Order.objects.get(pk=PENDING))
    assert InboxCommand.objects.filter(kind="cancel", created_by__username="clerk").exists()
    acted(clerk, Balance, "reset", *Balance.objects.filter(environment="demo"))
    assert clerk.post("/admin/trading/balance/deposit/", movement()).status_code == 403
    assert not InboxCommand.objects.filter(kind="reset").exists()


def test_whoever_may_move_money_deposits_and_deals_nothing(clerk, traded):
    User.objects.get(username="clerk").user_permissions.add(Permission.objects.get(codename="move_money"))
    assert clerk.post("/admin/trading/balance/deposit/", movement()).status_code == 302
    assert InboxCommand.objects.filter(kind="deposit", created_by__username="clerk").exists()
    acted(clerk, Order, "cancel", Order.objects.get(pk=PENDING))
    assert not InboxCommand.objects.filter(kind="cancel").exists()


def test_a_trader_does_not_get_in(client, traded, ann):
    client.force_login(ann)
    for path in (*map(list_of, MODELS), "/admin/trading/balance/deposit/"):
        assert client.get(path)["Location"].startswith("/admin/login/")
        assert client.post(path, movement())["Location"].startswith("/admin/login/")


def test_a_form_from_elsewhere_is_refused(traded, admin):
    admin.handler.enforce_csrf_checks = True
    assert admin.post("/admin/trading/balance/deposit/", movement()).status_code == 403
    assert admin.post(list_of(Order), {"action": "cancel", "_selected_action": [PENDING]}).status_code == 403
    assert asked_for() == []


def test_a_user_with_an_account_cannot_be_deleted_and_the_page_says_why(admin, traded, bob):
    fresh = User.objects.create_user("fresh")
    delete, users = reverse("admin:accounts_user_delete", args=[bob.pk]), reverse("admin:accounts_user_changelist")
    selected = {"action": "delete_selected", "_selected_action": [bob.pk, fresh.pk]}
    for answer in (admin.get(delete), admin.post(delete, {"post": "yes"}), admin.post(users, selected),
                   admin.post(users, {**selected, "post": "yes"})):  # fmt: skip
        assert "would require deleting the following protected related objects: bob live: 2.5 BTC" in plain(answer)
    assert User.objects.filter(username__in=["bob", "fresh"]).count() == 2
    admin.post(users, {**selected, "_selected_action": [fresh.pk], "post": "yes"})
    chief = User.objects.get(username="chief")
    acted(admin, Order, "cancel", Order.objects.get(pk=PENDING))
    answer = admin.post(reverse("admin:accounts_user_delete", args=[chief.pk]), {"post": "yes"})
    assert "chief has asked the engine: 1 times" in plain(answer)
    assert not User.objects.filter(username="fresh").exists()


def test_every_table_of_trading_that_tells_of_money_has_its_page():
    assert {model for model in site._registry if model._meta.app_label == "trading"} == set(MODELS)
