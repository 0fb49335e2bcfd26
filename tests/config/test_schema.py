"""The OpenAPI description is whole: drf-spectacular does not complain, and every call has a name of its own."""

from collections import Counter

from django.core.management import call_command


def test_it_is_written_without_a_warning_or_an_error(capsys, tmp_path):
    call_command("spectacular", file=str(tmp_path / "schema.yml"), validate=True, fail_on_warn=True)
    assert capsys.readouterr().err == ""


def test_every_call_has_a_name_of_its_own_and_it_is_that_of_its_address():
    from drf_spectacular.generators import SchemaGenerator

    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    names = Counter(call["operationId"] for path in paths.values() for call in path.values())
    assert max(names.values()) == 1
    assert {"balances", "asset_balance", "history", "product_history", "trade_new", "account_key_rotate"} <= set(names)
