"""Suppressed addresses changed in their rows: the audit finds it, after a plan too; what persons lift is no finding."""

import pytest

from reminders.domain.lifecycle import Reason
from reminders.services.audit import audit
from reminders.services.auditing import suppressed
from reminders.services.finding import Finding
from reminders.services.keys import Keys
from reminders.store import contacts, patients
from tests.support.clinic import INVITED_AT, Office
from tests.support.post import Mood, Post
from tests.support.tampering import on_postgresql, past_the_rules

FORGOTTEN = "UPDATE audit SET details = json_remove(details, '$.code') WHERE subject = 'address'"
OTHERS = "(SELECT address_key FROM patients WHERE ref = 'P3')"


@pytest.fixture(autouse=True, params=[1, suppressed.CODES_AT_A_TIME], ids=["many passes", "one pass"])
def codes_at_a_time(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many codes are held at once, the same is found."""
    monkeypatch.setattr(suppressed, "CODES_AT_A_TIME", request.param)


def findings(office: Office) -> tuple[Finding, ...]:
    return audit(office.database, office.clock, office.keys).findings


def told(office: Office) -> list[tuple[int, str]]:
    return [(one.promise, one.problem) for one in findings(office) if "suppressed addresses" in one.problem]


def bounced(office: Office) -> None:
    """Let the address of the office's patient bounce, and two others' be suppressed by staff."""
    office.clock.set(INVITED_AT)
    post = Post(office.clock.now)
    post.moods.append(Mood.RCPT_NEVER)
    office.deliver(post)
    for ref in ("P2", "P3"):
        office.add_patient(ref)
        office.change_patient(ref, opt_out="cosmetic")


@pytest.mark.parametrize(
    "values", ["address_key = 'a'", f"address_key = {OTHERS}", "at = '2030-01-01 00:00:00.000000'", "clinic_id = 2"]
)
def test_a_suppression_changed_in_its_row_is_found_before_a_plan_and_after_it(office: Office, values: str) -> None:
    office.add_clinic("elm")
    bounced(office)
    assert findings(office) == ()
    past_the_rules(office.database, [f"UPDATE suppressions SET {values} WHERE reason = 'bounced_address'"])  # noqa: S608 - words above
    for _ in range(2):
        assert 4 in [promise for promise, _ in told(office)]
        office.plan()


def test_what_persons_suppress_lift_and_erase_is_no_finding(office: Office) -> None:
    bounced(office)
    for given in ({"opt_in": "cosmetic"}, {"opt_out": "cosmetic"}, {"opt_out": "all"}):
        office.change_patient("P2", **given)
        office.clock.advance(minutes=1)
    office.erase("P3")
    assert findings(office) == ()


def test_only_what_was_suppressed_before_the_trail_held_codes_proves_nothing(office: Office) -> None:
    bounced(office)
    if on_postgresql(office.database):
        return  # the words of SQLite
    past_the_rules(office.database, [FORGOTTEN], triggers=False)
    office.change_patient("P2", opt_in="cosmetic")
    office.add_patient("P4")
    office.change_patient("P4", opt_out="cosmetic")
    assert told(office) == []
    past_the_rules(office.database, ["UPDATE suppressions SET address_key = 'a' WHERE id = 1"])
    assert told(office) == []
    last = "UPDATE suppressions SET address_key = 'b' WHERE id = (SELECT max(id) FROM suppressions)"
    past_the_rules(office.database, [last])
    assert [promise for promise, _ in told(office)] == [4]


def test_what_was_suppressed_under_an_older_key_may_be_lifted_under_another(office: Office) -> None:
    bounced(office)
    newer, older = Keys(b"another pepper of a test"), [office.keys.audit_key]
    with office.read() as tx:
        patient = patients.patients_by_refs(tx, 1, ["P2"])["P2"]
    signed = office.database.with_audit_key(newer.audit_key)
    with signed.write(office.clock.now(), "cli") as tx:
        assert contacts.lift_suppression(tx, 1, patient.address_key or "", "cosmetic", Reason.OPTED_OUT)
    signed.close()
    found = audit(office.database, office.clock, newer, older_keys=older).findings
    assert not any("suppressed addresses" in one.problem for one in found)
