"""Management commands of the project itself, and how a setting that cannot be used is told."""

import os
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import call_command

from config.env import VARIABLES
from config.management.commands.settings import shown
from tests.plugins.services import ROOT


def printed_settings():
    out = StringIO()
    call_command("settings", stdout=out, no_color=True)
    return out.getvalue()


def test_settings_lists_every_variable_with_its_meaning():
    text = printed_settings()
    assert all(f"{variable.name} = " in text and variable.meaning in text for variable in VARIABLES)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SECRET_KEY", "s3cret", "(hidden)"),
        ("KEY_SECRETS", "newer,older", "(hidden)"),
        ("DATABASE_URL", "postgres://ann:s3cret@db/tickwire", "postgres://ann:(hidden)@db/tickwire"),
        ("REDIS_URL", "redis://:s3cret@cache:6379/0", "redis://:(hidden)@cache:6379/0"),
        ("REDIS_URL", "", "(empty)"),
        ("PORT", "9000", "9000"),
    ],
)
def test_settings_hides_what_is_secret(monkeypatch, name, value, expected):
    monkeypatch.setenv(name, value)
    assert shown(next(variable for variable in VARIABLES if variable.name == name)) == expected


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"PORT": "eighty"}, "tickwire: PORT must be a number of at least 0, not 'eighty'"),
        ({"DEBUG": "1", "HOST": "0.0.0.0"}, "tickwire: DEBUG=1 shows internals"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_sentence_and_no_traceback(tmp_path, environment, sentence):
    ended = subprocess.run(
        [sys.executable, "manage.py", "settings"],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(sentence)
    assert ended.stderr.count("\n") == 1


def test_generated_secrets_are_kept_and_are_their_owners_alone(tmp_path):
    environment = {**os.environ, "DATA_DIR": str(tmp_path)}
    kept = []
    for _ in range(2):
        command = [sys.executable, "manage.py", "settings"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        kept.append({path.name: path.read_text() for path in tmp_path.glob("*-*")})
    assert kept[0] == kept[1]
    assert set(kept[0]) == {"secret-key", "key-secret"}
    assert all(len(secret) >= 48 for secret in kept[0].values())
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("*-*")} == {0o600}
