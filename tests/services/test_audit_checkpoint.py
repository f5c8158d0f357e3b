"""A checkpoint is small, private and signed, and shows a trail that was cut, written anew or put back since."""

import json
import stat
from pathlib import Path

import pytest

from reminders.services.audit import audit
from reminders.services.auditing.checkpoint import (
    CheckpointForged,
    CheckpointOfAnother,
    CheckpointUnwritable,
    NoSuchCheckpoint,
    NotACheckpoint,
)
from reminders.services.finding import AuditReport
from reminders.services.keys import Keys
from reminders.store.installation import save_installation
from tests.services.delivered import House


@pytest.fixture
def taken(house: House, tmp_path: Path) -> Path:
    """Return a checkpoint of the house as it is."""
    with house.database.write(house.clock.at, "init") as tx:
        save_installation(tx, "this installation", b"a wrapped pepper")
    path = tmp_path / "checkpoint"
    assert looked(house, checkpoint=path).checkpoint == path
    return path


def looked(house: House, *against: Path, checkpoint: Path | None = None) -> AuditReport:
    return audit(house.database, house.clock, house.keys, against=against, checkpoint=checkpoint)


def edited(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_checkpoint_is_private_and_names_nobody(taken: Path) -> None:
    assert stat.S_IMODE(taken.stat().st_mode) == 0o600
    document = json.loads(taken.read_text())
    assert document["entry"] == 17
    assert document["states"] == {"planned": 2, "sent": 1}
    assert len(taken.read_bytes()) < 1024
    for personal in ("1001", "home.test", "Odile", "Nowak", "linden"):
        assert personal not in taken.read_text()
    assert [path.name for path in taken.parent.iterdir() if path.name.startswith(".")] == []


def test_a_trail_that_went_on_since_is_whole(house: House, taken: Path) -> None:
    house.treat("1002")
    report = looked(house, taken, taken, checkpoint=taken)
    assert report.findings == ()
    assert json.loads(taken.read_text())["entry"] > 17


def test_a_checkpoint_of_another_installation_is_told_apart(house: House, taken: Path) -> None:
    house.tamper("UPDATE installation SET installation_id = 'another installation'")
    with pytest.raises(CheckpointOfAnother):
        looked(house, taken)


def test_a_database_put_back_whole_is_found(house: House, taken: Path) -> None:
    house.tamper("DELETE FROM audit WHERE id = 17", drop_triggers=True)
    [found] = looked(house, taken).findings
    assert found.promise == 10
    assert found.problem.startswith("the audit trail ends at entry 16, and the checkpoint of ")
    assert "restore" in found.advice


def test_a_checkpoint_from_which_the_trail_does_not_continue_is_not_replaced(house: House, taken: Path) -> None:
    before = taken.read_bytes()
    house.tamper("DELETE FROM audit WHERE id = 17", drop_triggers=True)
    report = looked(house, checkpoint=taken)
    assert report.checkpoint is None
    assert report.findings != ()
    assert taken.read_bytes() == before


def test_no_checkpoint_is_written_of_a_broken_trail(house: House, tmp_path: Path) -> None:
    house.tamper("UPDATE audit SET actor = 'nobody' WHERE id = 5", drop_triggers=True)
    assert looked(house, checkpoint=tmp_path / "new").checkpoint is None
    assert not (tmp_path / "new").exists()


def test_fewer_that_were_sent_than_before_are_found(house: House, taken: Path) -> None:
    house.tamper("UPDATE reminders SET state = 'planned' WHERE id = 1")
    problems = [one.problem for one in looked(house, taken).findings]
    assert any(problem.startswith("0 reminders are sent or bounced, and the checkpoint of") for problem in problems)


@pytest.mark.parametrize(
    "changes", [{"entry": 5}, {"code": "0" * 64}, {"states": {}}, {"signature": "é"}, {"installation": "other"}]
)
def test_an_edited_checkpoint_is_told_apart(house: House, taken: Path, changes: dict[str, object]) -> None:
    edited(taken, **changes)
    with pytest.raises(CheckpointForged):
        looked(house, taken)
    with pytest.raises(CheckpointForged):
        looked(house, checkpoint=taken)


@pytest.mark.parametrize("text", ["", "{}", "[]", "notes of mine", "[" * 50_000, '{"signature": 1, "kind": 2}'])
def test_a_file_that_is_no_checkpoint_is_neither_read_nor_overwritten(house: House, tmp_path: Path, text: str) -> None:
    mine = tmp_path / "mine"
    mine.write_text(text)
    with pytest.raises(NotACheckpoint):
        looked(house, mine)
    with pytest.raises(NotACheckpoint):
        looked(house, checkpoint=mine)
    assert mine.read_text() == text


def test_a_checkpoint_that_is_not_there_is_said_to_be_none(house: House, tmp_path: Path) -> None:
    with pytest.raises(NoSuchCheckpoint):
        looked(house, tmp_path / "nowhere")


def test_a_folder_that_is_not_there_takes_no_checkpoint(house: House, tmp_path: Path) -> None:
    with pytest.raises(CheckpointUnwritable, match="No such file or directory"):
        looked(house, checkpoint=tmp_path / "nowhere" / "checkpoint")


def test_a_checkpoint_signed_before_the_key_was_changed_still_counts(house: House, taken: Path) -> None:
    older, renewed = house.keys.audit_key, Keys(b"another pepper of a test")
    report = audit(house.database, house.clock, renewed, against=[taken], older_keys=[older])
    assert [one.problem for one in report.findings if one.promise == 10] == []
    with pytest.raises(CheckpointForged):
        audit(house.database, house.clock, renewed, against=[taken])
