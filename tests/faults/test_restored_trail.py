"""Faults: a backup is put back in good faith, and a checkpoint of the audit trail remembers more than it holds."""

import json
from pathlib import Path

import pytest

from reminders.services.audit import audit
from reminders.services.finding import AuditReport
from reminders.services.guarding.lock import SendingLocked
from reminders.services.guarding.unlock import Answer
from reminders.store.audit_trail import last_number
from tests.support.backends import BACKENDS
from tests.support.clinic import INVITED_AT, to
from tests.support.guarded import Guarded
from tests.support.smtp_server import RealServer
from tests.support.tampering import past_the_rules

on_both = pytest.mark.parametrize("backend", BACKENDS, indirect=True)
A_DAY_LATER = INVITED_AT.replace(day=24)


def restored_since(guarded: Guarded, server: RealServer, tmp_path: Path) -> tuple[Path, int]:
    """Let a checkpoint see what the copy that is put back does not know; return it, and the copy's last entry."""
    guarded.office.deliver(to(server))
    held = last(guarded)
    copy = guarded.copy()
    guarded.again()
    guarded.clock.set(INVITED_AT)
    guarded.office.deliver(to(server))
    guarded.again()
    guarded.office.deliver(to(server))  # which remembers how long the trail is
    kept = tmp_path / "kept"
    assert looked_at(guarded, checkpoint=kept).checkpoint == kept
    guarded.put_back(copy)
    guarded.clock.set(A_DAY_LATER)
    with pytest.raises(SendingLocked):
        guarded.office.deliver(to(server))
    return kept, held


def last(guarded: Guarded) -> int:
    with guarded.office.read() as tx:
        return last_number(tx)


def looked_at(guarded: Guarded, *against: Path, checkpoint: Path | None = None) -> AuditReport:
    office = guarded.office
    return audit(office.database, guarded.clock, office.keys, against=against, checkpoint=checkpoint)


@on_both
def test_f43_after_a_restore_the_audit_tells_what_is_lost_and_a_new_checkpoint_goes_on(
    guarded: Guarded, server: RealServer, tmp_path: Path
) -> None:
    kept, held = restored_since(guarded, server, tmp_path)
    before, saw = kept.read_bytes(), json.loads(kept.read_text())["entry"]
    [unexplained] = looked_at(guarded, kept).findings
    assert "its end was cut off, or the database was put back" in unexplained.problem
    guarded.unlock(Answer.RESTORED, "new-disk")
    for prefix in "NM":
        report = looked_at(guarded, checkpoint=kept)
        [found] = report.findings  # it stays one: only a person knows whether that word was true
        assert (found.promise, report.checkpoint, kept.read_bytes()) == (10, None, before)
        assert "`unlock --as restored` said that an older copy was put back" in found.problem
        assert f"for the reason new-disk); entries {held + 1} to {saw} of the trail before are lost" in found.problem
        assert "`reminders audit --checkpoint FILE`, naming a new file" in found.advice
        guarded.office.add_due(20, prefix=prefix)  # the trail grows beyond what the checkpoint saw
    assert last(guarded) > saw
    new = tmp_path / "new"
    assert looked_at(guarded, checkpoint=new).findings == ()
    guarded.office.add_patient("later")
    assert looked_at(guarded, new).findings == ()


def test_f43_a_restore_before_the_checkpoint_explains_nothing_that_was_cut_off_after_it(
    guarded: Guarded, server: RealServer, tmp_path: Path
) -> None:
    restored_since(guarded, server, tmp_path)
    guarded.unlock(Answer.RESTORED)
    guarded.clock.advance(minutes=5)
    new = tmp_path / "new"
    looked_at(guarded, checkpoint=new)
    past_the_rules(
        guarded.office.database, ["DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)"], triggers=False
    )
    problems = [one.problem for one in looked_at(guarded, new).findings]
    assert any("its end was cut off" in problem for problem in problems)
    assert not any("unlock --as restored" in problem for problem in problems)
