"""The sample clinic's special cases: for every state and reason of a reminder somebody to whom it happened.

Invariant: each case is one function, counted back from the script's last day, so that it stands as told whenever the
script is written.
"""

import datetime as dt

from reminders.domain.answers import AnswerKind
from reminders.domain.facts import Outcome
from reminders.domain.lifecycle import Reason
from reminders.mail.inbox import Mailbox
from reminders.services.answering.reply import Reply
from reminders.services.patient import PatientChange
from reminders.services.record import NewTreatment
from reminders.services.sample.people import years_before
from reminders.services.sample.script import (
    COLLEAGUE,
    NURSE,
    Amend,
    Answer,
    Ask,
    Attend,
    Book,
    CameBack,
    Crash,
    Erase,
    PutOnHold,
    Review,
    Script,
    Treat,
    Void,
    working_day,
)

FACE, MIGRAINE, PEEL, BOOSTER = "botulinum-cosmetic", "botulinum-migraine", "peel-medium", "skin-booster"
NEEDLING, HAIR, SWEAT, LIMB = (
    "microneedling-course",
    "laser-hair-course",
    "botulinum-hyperhidrosis",
    "botulinum-spasticity",
)
RIGHT_TO_LEFT = "\u202b"
"""A mark that comes along when a name is copied out of a page written from right to left; no message may hold it."""

GONE, SILENT, LATER = "moved.away@post.example", "between.two.servers@mail.example", "grey.list@letters.example"
REPLIES = (
    (
        "asks.for.a.time@post.example",
        Reply(AnswerKind.CONSULTATION_REQUESTED, None, "phone", "afternoon", "Not on Tuesdays, please."),
    ),
    ("was.elsewhere@post.example", Reply(AnswerKind.BOOKED)),
    ("rather.call@post.example", Reply(AnswerKind.PHONE_ME)),
)
"""Who answers through the link of their message, and what."""

MAILBOXES = {GONE: Mailbox.UNKNOWN_HERE, SILENT: Mailbox.SILENT, LATER: Mailbox.LATER}
"""The addresses that the sample's mail server treats in a way of their own."""


def cast(script: Script) -> str:
    """Write every case into the script; return the ref of the patient to show."""
    _what_servers_say(script)
    _what_patients_say(script)
    _what_the_clinic_says(script)
    _who_may_not_be_written_to(script)
    _appointments(script)
    _several_lines(script)
    _corrections(script)
    return script.invited(0, given_name="Zoë", family_name="Adébáyọ̀", email="zoe.adebayo@post.example")


def _what_servers_say(script: Script) -> None:
    """Refused, put off, nobody can tell, came back, complained; and a program that died three times on one message."""
    script.invited(12, email=GONE)
    script.invited(5, email=LATER)
    script.invited(3, email=SILENT)
    bounced, complained = script.invited(20), script.invited(25)
    script.on(script.ago(18), CameBack(bounced, complaint=False))
    script.on(script.ago(23), CameBack(complained, complaint=True))
    script.invited(2, given_name=f"{RIGHT_TO_LEFT}נועם", family_name="אברהמי", email="noam.avrahami@post.example")
    day, recipient = working_day(script.ago(6)), "three.crashes@mail.example"
    unlucky = script.enrol(day, {"email": recipient})
    treated = working_day(day - dt.timedelta(days=85))
    script.on(day, Crash(NewTreatment(unlucky, FACE, treated, NURSE), recipient))


def _what_patients_say(script: Script) -> None:
    """Stop (for everybody at that address), please contact me, a reply, erase me."""
    stopped, _ = (script.invited(days, family_name="Benson", email="the.bensons@post.example") for days in (30, 16))
    script.on(script.ago(28), Amend(stopped, PatientChange(opt_out="all")))
    script.on(script.ago(7), Answer(script.invited(9), Reason.REPLIED))
    for recipient, reply in REPLIES:
        script.invited(10, email=recipient)
        script.on(script.ago(4), Ask(recipient, reply))
    script.invited(
        6, given_name="Lucía", family_name="Ortega Ruiz", email="lucia.ortega@letters.example", language="es"
    )
    script.invited(1, given_name="سلمى", family_name="حداد", email="salma.haddad@letters.example", language="ar")
    script.on(script.ago(16), Erase(script.invited(40)))


def _what_the_clinic_says(script: Script) -> None:
    """Dead, moved away, not until we say so, not until a day, let me see it first, an interval of one's own."""
    dead, inactive, held, for_now = (script.invited(days) for days in (33, 36, 15, 14))
    script.on(script.ago(15), Amend(dead, PatientChange({"status": "deceased"})))
    script.on(script.ago(22), Amend(inactive, PatientChange({"status": "inactive"})))
    script.on(script.ago(11), PutOnHold(held, None, "see-first"))
    script.on(script.ago(12), PutOnHold(for_now, script.today + dt.timedelta(days=60), "pregnancy"))
    forgotten = script.invited(58)
    script.on(script.ago(60), Review(forgotten))
    own = script.patient(FACE, script.ago(70))
    script.on(script.ago(68), Amend(own, PatientChange(due="14w", line="face")))


def _who_may_not_be_written_to(script: Script) -> None:
    """No address, no agreement, too young, too young without a representative; and a child with one."""
    recent = script.ago(60)
    script.patient(FACE, recent, email="")
    script.patient(FACE, recent, consent="denied")
    script.patient(FACE, recent, consent="unknown")
    parent = "parent.of.one@letters.example"
    script.patient(PEEL, recent, NURSE, birth_date=years_before(script.today, 16), representative_email=parent)
    script.patient(SWEAT, recent, COLLEAGUE, birth_date=years_before(script.today, 15))
    child = years_before(script.today, 9)
    script.invited(4, LIMB, COLLEAGUE, birth_date=child, email="", representative_email=parent)


def _appointments(script: Script) -> None:
    """Booked, cancelled again, missed once, missed twice."""
    booked, cancelled = script.invited(8), script.invited(18)
    script.on(script.ago(5), Book(booked, working_day(script.today + dt.timedelta(days=9)), "face"))
    script.on(script.ago(13), Book(cancelled, script.ago(4), "face"))
    script.on(script.ago(6), Attend(cancelled, script.ago(4), Outcome.CANCELLED))
    missed = script.patient(FACE, script.began(FACE, "follow_up", script.ago(2)))
    script.on(script.ago(30), Book(missed, script.ago(1), "face"))
    script.on(script.ago(0), Attend(missed, script.ago(1), Outcome.MISSED))
    twice = script.patient(FACE, script.began(FACE, "follow_up", script.ago(8)))
    for booked_on, day in ((40, 30), (20, 9)):
        script.on(script.ago(booked_on), Book(twice, script.ago(day), "face"))
        script.on(script.ago(day - 1), Attend(twice, script.ago(day), Outcome.MISSED))


def _several_lines(script: Script) -> None:
    """Two treatments that make one message, two that come too close, and a medical line beside a cosmetic one."""
    soon = script.today + dt.timedelta(days=3)
    both = script.patient(NEEDLING, script.began(NEEDLING, "invitation", script.last), NURSE)
    script.treat(both, HAIR, script.began(HAIR, "invitation", working_day(soon)), NURSE)
    close = script.invited(20, HAIR, NURSE)
    entered = script.ago(17)
    before = (entered - dt.timedelta(days=days) for days in range(300, 400))
    forgotten = max(day for day in before if script.catalogue[BOOSTER].closes.after(day) <= script.ago(8))
    script.on(entered, Treat(NewTreatment(close, BOOSTER, forgotten, NURSE)))
    mixed = script.patient(FACE, script.ago(95))
    script.treat(mixed, MIGRAINE, script.began(MIGRAINE, "invitation", script.ago(6)), COLLEAGUE)


def _corrections(script: Script) -> None:
    """Treated again, entered in error, corrected, and a step that the clinic took out of its protocol."""
    again = script.patient(FACE, script.began(FACE, "follow_up", script.ago(21)))
    script.treat(again, FACE, script.ago(14))
    wrong = script.ago(40)
    script.on(script.ago(39), Void(script.patient(FACE, wrong), FACE, wrong))
    script.patient(PEEL, script.ago(110), NURSE)
    day = script.ago(50)
    corrected = script.enrol(day)
    script.on(day, Treat(NewTreatment(corrected, FACE, day, ref="T-5001")))
    right = NewTreatment(corrected, FACE, day - dt.timedelta(days=7), ref="T-5002", replaces="T-5001")
    script.on(day, Treat(right))
