"""Tells who of a file's patients cannot be written to, and when their reminders are a backlog.

Invariant: a reason counts here only when it lies in the person; what merely stops a line for now does not.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping

from reminders.domain.backlog import is_backlog, sending_days_looked_at
from reminders.domain.eligibility import withheld
from reminders.domain.episode import Run
from reminders.domain.facts import Consent, Episode, PatientFacts, Rules
from reminders.domain.lifecycle import Reason
from reminders.domain.protocol import Protocol, TreatmentClass
from reminders.domain.sending_hours import SendingCalendar, end_of_day, local_day, moment
from reminders.store import reminders
from reminders.store.database import Transaction

FOR_NOW = frozenset((Reason.ON_HOLD, Reason.BOOKED, Reason.CONSULTATION_REQUESTED, Reason.REPLIED))


UNASKED = "consent_unknown"


def unreachable(everyone: Iterable[PatientFacts], rules: Rules, now: dt.datetime) -> Counter[str]:
    """Count, by reason, the patients to whom no message of any class they were treated in can go.

    Those whose consent nobody asked are counted under `UNASKED` as well.
    """
    today = local_day(rules.calendar.zone, now)
    found: Counter[str] = Counter()
    for facts in everyone:
        reason = why_unreachable(facts, rules, today)
        if reason is not None:
            found[reason.value] += 1
            found[UNASKED] += reason is Reason.NO_CONSENT and facts.consent is Consent.UNKNOWN
    return found


def why_unreachable(facts: PatientFacts, rules: Rules, today: dt.date) -> Reason | None:
    """Return the reason why this patient cannot be written to; one who had no treatment is judged as cosmetic."""
    given = {protocol.class_name: protocol for t in facts.treatments if (protocol := rules.protocols.get(t.protocol))}
    reason = None
    for protocol in given.values() or _any_cosmetic(rules.protocols):
        run = Run(Episode(0, protocol.clock, today), today, protocol=protocol)
        reason = withheld(run, facts, rules, today)
        if reason is None or reason in FOR_NOW:
            return None
    return reason


def _any_cosmetic(protocols: Mapping[str, Protocol]) -> tuple[Protocol, ...]:
    return tuple(p for p in protocols.values() if p.class_name is TreatmentClass.COSMETIC)[:1]


def is_clinics_backlog(tx: Transaction, clinic_id: int, calendar: SendingCalendar, overdue: int) -> bool:
    """Tell whether so many overdue reminders are a backlog, by what the clinic usually sends."""
    days = sending_days_looked_at(calendar, tx.now)
    spans = [(moment(calendar.zone, day), end_of_day(calendar.zone, day)) for day in days]
    return is_backlog(overdue, ()) and is_backlog(overdue, reminders.sent_between(tx, clinic_id, spans))


def waiting_backlog(tx: Transaction, clinic_id: int) -> int:
    """Count the clinic's reminders that are held as a backlog."""
    return reminders.held_as_backlog(tx).get(clinic_id, 0)
