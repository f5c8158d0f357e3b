"""Where a machine remembers: what REMINDERS_STATE may say, and what is said to a user without a home."""

from pathlib import Path

import pytest

from reminders.settings import BadSettings, Settings, load_settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REMINDERS_STATE", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)


def test_an_empty_folder_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for said in ("", "  "):
        monkeypatch.setenv("REMINDERS_STATE", said)
        assert load_settings().state is None


def test_a_folder_is_meant_where_the_program_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMINDERS_STATE", "kept/here")
    assert load_settings().state_folder == tmp_path / "kept" / "here"


def test_a_tilde_is_the_home_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/srv/desk")
    monkeypatch.setenv("REMINDERS_STATE", "~/kept")
    assert load_settings().state_folder == Path("/srv/desk/kept")


def test_an_unknown_user_s_home_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMINDERS_STATE", "~nobody-of-this-name/kept")
    with pytest.raises(BadSettings, match="REMINDERS_STATE: give a folder") as caught:
        load_settings()
    assert "nobody-of-this-name" not in str(caught.value)


def test_a_user_without_a_home_is_told_to_name_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "not/absolute")
    with pytest.raises(BadSettings, match="REMINDERS_STATE"):
        _ = Settings().state_folder
    monkeypatch.setenv("REMINDERS_STATE", "/var/lib/reminders")
    assert load_settings().state_folder == Path("/var/lib/reminders")
