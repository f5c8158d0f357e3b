"""Says why a step leaves the patient in peace for now: a missed appointment, their own wish, a booking, a moved row.

Invariant: of several causes the one that lasts longest is told, since it is the one that decides.
"""

import datetime as dt

from reminders.domain.eligibility import appointments_of, quiet_until, remind_on, waits_for_closing
from reminders.domain.episode import Run
from reminders.domain.facts import Outcome, PatientFacts

PASSED_OVER = "has deliveries pass it over until later: `reminders audit` tells more, `reminders plan` puts it right."


def peace(run: Run, facts: PatientFacts) -> tuple[str, dt.date] | None:
    """Return the cause in words, up to its day, and that day; None where nothing puts the run's steps off."""
    missed = [a for a in appointments_of(run, facts) if a.outcome is Outcome.MISSED]
    ends = [(quiet_until(a.day, a.noted_on), "it leaves a week after the appointment missed on", a.day) for a in missed]
    asked = remind_on(run, facts)
    if asked is not None:
        ends.append((asked, "the patient asked to be reminded on", asked))
    if not ends:
        return None
    _, words, day = max(ends)
    return words, day


def told_of_booking(run: Run, facts: PatientFacts, zone: str, today: dt.date) -> str | None:
    """Return the sentence where nothing but the patient's word, without a day, says that a visit is booked."""
    if not waits_for_closing(run, facts, zone, today):
        return None
    return "the patient says a visit is booked; it returns when that request is closed."
