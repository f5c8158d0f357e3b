"""Says why a step that is planned leaves the patient in peace for now: a missed appointment, or their own wish.

Invariant: of several causes the one that lasts longest is told, since it is the one that decides.
"""

import datetime as dt

from reminders.domain.eligibility import appointments_of, quiet_until, remind_on
from reminders.domain.episode import Run
from reminders.domain.facts import Outcome, PatientFacts


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
