"""The journal's tables are spelled without the models; here they are compared with them."""

import pytest
from django.apps import apps

from trading.models import EngineLease
from trading.tables import BALANCES, EVENTS, INBOX, JOURNAL, LEASE, LEDGER, ORDERS, POSITIONS

MODELS = {model._meta.db_table: model for model in apps.get_app_config("trading").get_models()}


@pytest.mark.parametrize("table", [JOURNAL, EVENTS, LEDGER, BALANCES, ORDERS, POSITIONS, INBOX], ids=lambda t: t.name)
def test_a_table_is_that_of_a_model(table):
    columns = {field.column for field in MODELS[table.name]._meta.concrete_fields}
    assert columns >= table.columns.keys()
    if table is not INBOX:  # of which only the answer is written here
        assert columns - table.columns.keys() <= {"id"}


def test_the_lease_is_that_row():
    assert f"SELECT fence FROM {EngineLease._meta.db_table} WHERE id = {EngineLease.ROW}" == LEASE


def test_what_may_not_change_stays_as_it_was():
    before, after = (1, 2, "BTC", 3, 4, 5), (1, 2, "BTC", 6, 7, 8)
    assert BALANCES.changed(before, after) == after
    assert BALANCES.changed(None, after) == after
    order = tuple(range(len(ORDERS.columns)))
    short = tuple(-at for at in order[:4])
    assert ORDERS.changed(order, short) == short + order[4:]
    assert ORDERS.changed(short, (7,)) == (7, *short[1:])
