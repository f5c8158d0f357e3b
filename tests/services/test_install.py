"""`init` makes an installation once, keeps what is there, and opens it only with its own key."""

import stat
from pathlib import Path

import pytest

from reminders.services.audit import audit
from reminders.services.install import install
from reminders.services.keys import Keys, LostSecretKey, UnreadableSecretKey, WrongSecretKey, make_key_file
from reminders.services.opening import open_installation
from reminders.settings import Settings
from reminders.store.clinics import add_clinic
from tests.support.clinic import FakeClock

OLD, NEW = "an old key of more than thirty-two characters", "a new key of more than thirty-two characters"


def settings(folder: Path, *keys: str) -> Settings:
    return Settings(
        database_url=f"sqlite:///{folder}/reminders.db", secret_key=keys, secret_key_file=folder / "reminders.key"
    )


def test_the_first_init_makes_key_database_and_catalogue_and_the_second_changes_nothing(tmp_path: Path) -> None:
    first = install(settings(tmp_path), FakeClock())
    assert (first.key_made, first.database_made, first.protocols_added > 15) == (True, True, True)
    key = (tmp_path / "reminders.key").read_bytes()
    second = install(settings(tmp_path), FakeClock())
    assert (second.key_made, second.database_made, second.protocols_added) == (False, False, 0)
    assert (tmp_path / "reminders.key").read_bytes() == key


def test_the_key_file_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    install(settings(tmp_path), FakeClock())
    assert stat.S_IMODE((tmp_path / "reminders.key").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        make_key_file(tmp_path / "reminders.key")


def test_a_fresh_installation_passes_its_own_audit(tmp_path: Path) -> None:
    install(settings(tmp_path), FakeClock())
    database, keys = open_installation(settings(tmp_path), FakeClock())
    assert audit(database, FakeClock(), keys).findings == ()
    database.close()


def test_a_database_whose_key_is_lost_is_not_given_a_new_one(tmp_path: Path) -> None:
    install(settings(tmp_path), FakeClock())
    (tmp_path / "reminders.key").unlink()
    for attempt in (install, open_installation):  # `init` and everything else send nobody from one to the other
        with pytest.raises(LostSecretKey, match="Put your copy of it there") as refused:
            attempt(settings(tmp_path), FakeClock())
        assert str(tmp_path / "reminders.key") in str(refused.value)
        assert "reminders init" not in str(refused.value)
    assert not (tmp_path / "reminders.key").exists()


def test_init_knows_whether_somebody_worked_with_the_database_before(tmp_path: Path) -> None:
    assert install(settings(tmp_path), FakeClock()).clinics == 0
    database, _ = open_installation(settings(tmp_path), FakeClock())
    with database.write(FakeClock().now, "cli") as tx:
        add_clinic(tx, slug="north", name="North", timezone="Europe/London", email="desk@north.example")
    database.close()
    assert install(settings(tmp_path), FakeClock()).clinics == 1


def test_another_key_does_not_open_it(tmp_path: Path) -> None:
    install(settings(tmp_path, OLD), FakeClock())
    with pytest.raises(WrongSecretKey) as refused:
        open_installation(settings(tmp_path, NEW), FakeClock())
    assert NEW not in str(refused.value)


def test_a_short_or_empty_key_file_is_refused_without_showing_it(tmp_path: Path) -> None:
    (tmp_path / "reminders.key").write_text("short-secret")
    with pytest.raises(UnreadableSecretKey) as refused:
        install(settings(tmp_path), FakeClock())
    assert "short-secret" not in str(refused.value)
    assert not (tmp_path / "reminders.db").exists()


def test_f42_rotation_forgets_nobody(tmp_path: Path) -> None:
    install(settings(tmp_path, OLD), FakeClock())
    database, before = open_installation(settings(tmp_path, OLD), FakeClock())
    database.close()
    install(settings(tmp_path, NEW, OLD), FakeClock())
    database, after = open_installation(settings(tmp_path, NEW), FakeClock())
    database.close()
    assert after.address_key("ada@p.example") == before.address_key("ada@p.example")


def test_keys_of_different_purposes_never_agree() -> None:
    keys = Keys(b"p" * 32)
    assert len({keys.address_key("x")[:32], keys.message_seed("x"), keys.audit_key.hex()[:32]}) == 3
    assert keys.new_token() != keys.new_token()
