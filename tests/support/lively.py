"""A database with life in it, for whoever wants to tamper with it: two clinics and every kind of thing that happens.

Invariant: everything in it was done by the product's own services, so that an audit has nothing to say of it.
"""

import datetime as dt

from reminders.domain.facts import Outcome
from reminders.domain.lifecycle import Reason, State
from reminders.services import book, decide
from reminders.services.audit import AuditReport, audit
from reminders.store import retention
from reminders.store.database import create_or_upgrade
from reminders.store.installation import save_installation
from tests.support.clinic import FOLLOW_UP_AT, INVITED_AT, FakeClock, Office
from tests.support.post import Mood, Post

NOW = FOLLOW_UP_AT + dt.timedelta(hours=1)
"""When all of it has happened: an hour after the follow-ups were due."""

PATIENTS = 14
ELSEWHERE = 3


def lively(url: str) -> None:
    """Make the database at `url`."""
    office = _founded(url)
    post = Post(office.clock.now)
    _before_the_invitations(office)
    office.clock.set(INVITED_AT)
    post.moods.extend([Mood.ACCEPT, Mood.TAKEN_AND_DROPPED, Mood.RCPT_NEVER, Mood.RCPT_LATER])
    office.deliver(post)
    office.clock.advance(minutes=30)
    office.deliver(post)
    _after_the_invitations(office)
    office.clock.set(FOLLOW_UP_AT)
    post.moods.extend([Mood.ACCEPT, Mood.DROP_BEFORE_DOT, Mood.DOT_LATER])
    office.deliver(post)
    office.clock.advance(minutes=20)
    office.deliver(post)
    states = office.states()
    for wanted in ("sent", "unknown", "bounced", "failed rejected_by_server", "held held_for_review", "planned"):
        assert states[wanted], states
    with office.write() as tx:
        retention.drop_bytes(tx, NOW, 16)  # an audit reads every message that is kept
    assert sum(count for name, count in states.items() if name.startswith("cancelled")) > 5
    office.close()


def crowded(url: str) -> None:
    """Make a database whose clinic let 60 invitations lie for a week, so that the backlog rule holds them."""
    office = _founded(url)
    office.add_due(60, prefix="B")
    office.clock.set(INVITED_AT + dt.timedelta(days=7))
    assert office.plan().backlog_held == 60
    office.close()


def audited(url: str, now: dt.datetime = NOW) -> AuditReport:
    """Audit a database as it stands."""
    office = Office(url, FakeClock(now))
    try:
        return audit(office.database, office.clock, office.keys)
    finally:
        office.close()


def _founded(url: str) -> Office:
    create_or_upgrade(url)
    office = Office(url, FakeClock())
    with office.write() as tx:
        save_installation(tx, "an installation of a test", b"a wrapped pepper")
    office.install()
    office.add_clinic()
    return office


def _before_the_invitations(office: Office) -> None:
    office.add_clinic("elm")
    for number in range(1, PATIENTS + 1):
        office.add_patient(f"P{number}")
        office.treat(f"P{number}", entry=f"v{number}")
    for number in range(1, ELSEWHERE + 1):
        office.add_patient(f"E{number}", "elm")
        office.treat(f"E{number}", slug="elm")
    office.treat("P8", protocol="botulinum-migraine")
    office.add_patient("P20")
    office.change_patient("P5", opt_out="cosmetic")
    office.book("2026-03-20", "P6")
    office.hold(ref="P7")
    office.change_patient("P9", due="14w")
    office.void("v10")
    office.change_patient("P11", status="deceased")
    office.answer(Reason.REPLIED, "P12")


def _after_the_invitations(office: Office) -> None:
    sent = [row for row in office.rows() if row.state is State.SENT and row.clinic == "riverside"]
    bounced, answered, erased = sent[1], sent[2], sent[-1]
    with office.write() as tx:
        decide.came_back(tx, bounced.id, complaint=False)
    with office.write() as tx:
        decide.hold(tx, [office.row("last_call", answered.patient).id], "she asked")
    booked = office.book("2026-05-20", "P3")
    with office.write() as tx:
        book.set_outcome(tx, booked, Outcome.CANCELLED)
    office.hold(ref=sent[0].patient, until=dt.date(2026, 4, 1))
    office.erase(erased.patient)
    office.pause("elm")
