"""Preparing one database from several processes at once, as several hosts that start together do."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.journeys.conftest import first_env
from tests.journeys.harness import environment, manage


@pytest.fixture
def env(tmp_path):
    with first_env() as services:
        yield environment(tmp_path, services)


def test_processes_that_prepare_at_once_make_one_login_and_one_key(env):
    with ThreadPoolExecutor(4) as pool:
        printed = list(pool.map(lambda _: manage(env, "prepare"), range(4)))
    assert sorted(text.count("(shown this once)") for text in printed) == [0, 0, 0, 2]


def test_a_lost_password_can_be_changed_and_the_old_one_is_not_shown_again(env):
    assert "(shown this once)" in manage(env, "prepare")
    assert ".venv/bin/python manage.py changepassword admin" in manage(env, "prepare")


@pytest.mark.once
def test_a_commit_on_sqlite_is_on_the_disk_before_it_is_said(env):
    """Nothing of the tests cuts the power: what keeps committed rows through that is a setting, and 2 is FULL."""
    ask = "from django.db import connection; print(connection.cursor().execute('PRAGMA synchronous').fetchone())"
    assert manage(env, "shell", "-v", "0", "-c", ask) == "(2,)\n"
