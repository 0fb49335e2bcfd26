"""Reading settings from the environment."""

import pytest

from config import env


def test_an_unset_or_empty_variable_gives_its_default(monkeypatch):
    monkeypatch.delenv("PORT", raising=False)
    assert env.whole("PORT") == 8080
    monkeypatch.setenv("PORT", "")
    assert env.whole("PORT") == 8080


@pytest.mark.parametrize("text", ["eighty", "-1", "nan", "inf", "1e999"])
def test_a_number_that_cannot_be_used_is_refused_by_name(monkeypatch, text):
    monkeypatch.setenv("AUTH_WINDOW_S", text)
    with pytest.raises(env.SettingInvalid, match="AUTH_WINDOW_S"):
        env.number("AUTH_WINDOW_S")


def test_a_whole_number_has_no_fraction(monkeypatch):
    monkeypatch.setenv("PORT", "80.5")
    with pytest.raises(env.SettingInvalid, match="PORT must be a whole number"):
        env.whole("PORT")


def test_a_list_has_no_blanks_and_no_empty_entries(monkeypatch):
    monkeypatch.setenv("ALLOWED_HOSTS", " a.example , ,b.example,")
    assert env.names("ALLOWED_HOSTS") == ["a.example", "b.example"]


def test_the_data_folder_is_its_owners_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "new" / "data"))
    folder = env.data_dir()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_every_variable_is_named_once_and_explained():
    names = [variable.name for variable in env.VARIABLES]
    assert len(set(names)) == len(names)
    assert all(variable.meaning for variable in env.VARIABLES)
