"""Why a patient is not written to about a run of the clock: None, or the one reason that weighs most.

Invariant (promise 4): the strongest and most lasting restriction wins, and nothing here weakens another.
"""

import datetime as dt

from reminders.domain.answers import Answer, AnswerKind
from reminders.domain.episode import Run
from reminders.domain.facts import OPT_OUT_ALL, Appointment, Consent, Outcome, PatientFacts, Rules, Status
from reminders.domain.lifecycle import Reason
from reminders.domain.protocol import TreatmentClass, names_clock
from reminders.domain.sending_hours import local_day

ADULT_YEARS = 18
BOOKING_LASTS = dt.timedelta(days=7)
SNOOZE_AFTER_MISS = dt.timedelta(days=7)
MISSES_FOR_STAFF = 2
_STOPPED = frozenset((Reason.OPTED_OUT, Reason.PATIENT_ERASED))
HELD_BACK_BY = {
    AnswerKind.CONSULTATION_REQUESTED: Reason.CONSULTATION_REQUESTED,
    AnswerKind.PHONE_ME: Reason.CONSULTATION_REQUESTED,
    AnswerKind.REPLIED: Reason.REPLIED,
}
"""The answers that keep their lines' messages back until staff have closed them."""


def withheld(run: Run, facts: PatientFacts, rules: Rules, today: dt.date) -> Reason | None:
    """Return why no step of `run` may go out on `today`, or None. `today` is the clinic's local day.

    What ended the run comes first: nothing about the person can bring it back.
    """
    if run.day is None:
        return Reason.ENTERED_IN_ERROR
    if run.ended_on is not None:
        return Reason.TREATED_AGAIN
    person = _person_reason(facts)
    if person is not None:
        return person
    if run.protocol is None:
        return Reason.PROTOCOL_CHANGED
    return _permission(run.protocol.class_name, facts, rules, today) or _pause(run, facts, rules, today)


def _person_reason(facts: PatientFacts) -> Reason | None:
    """Return the reason for which nothing at all is sent to this person."""
    if facts.erased:
        return Reason.PATIENT_ERASED
    if facts.status is Status.DECEASED:
        return Reason.DECEASED
    return Reason.INACTIVE if facts.status is Status.INACTIVE else None


def _permission(class_name: TreatmentClass, facts: PatientFacts, rules: Rules, today: dt.date) -> Reason | None:
    """Return why this person must not be written to about this class at all."""
    blocked = {reason for scope, reason in facts.blocked if scope in (OPT_OUT_ALL, class_name)}
    if not _STOPPED.isdisjoint(blocked) or not facts.opt_outs.isdisjoint((OPT_OUT_ALL, class_name)):
        return Reason.OPTED_OUT
    if Reason.COMPLAINED in blocked:
        return Reason.COMPLAINED
    if is_minor(facts.birth_date, today):
        if class_name is TreatmentClass.COSMETIC:
            return Reason.UNDER_AGE
        if not facts.has_representative:
            return Reason.NO_REPRESENTATIVE
    if not consents(class_name, facts.consent, rules):
        return Reason.NO_CONSENT
    if not (facts.has_email or facts.has_representative):
        return Reason.NO_EMAIL
    return Reason.BOUNCED_ADDRESS if Reason.BOUNCED_ADDRESS in blocked else None


def consents(class_name: TreatmentClass, consent: Consent, rules: Rules) -> bool:
    """Tell whether `consent` is enough for a message of this class; medical ones need no more than not being denied."""
    if class_name is TreatmentClass.MEDICAL:
        return consent is not Consent.DENIED
    if consent is Consent.UNKNOWN:
        return rules.unknown_is_customer
    return consent in (Consent.GRANTED, Consent.EXISTING_CUSTOMER)


def of_age_on(birth_date: dt.date) -> dt.date:
    """Return the day from which someone born on `birth_date` is an adult.

    Born on 29 February, it is 1 March of a common year: the later of the readings, so that no minor is reached.
    """
    year = birth_date.year + ADULT_YEARS
    try:
        return birth_date.replace(year=year)
    except ValueError:
        return dt.date(year, 3, 1)


def is_minor(birth_date: dt.date | None, today: dt.date) -> bool:
    """Tell whether someone born on `birth_date` is under 18 on `today`; unknown counts as an adult."""
    return birth_date is not None and today < of_age_on(birth_date)


def _pause(run: Run, facts: PatientFacts, rules: Rules, today: dt.date) -> Reason | None:
    """Return what stops this line for now."""
    line = run.episode.line
    if any(names_clock(hold.line, line) and (hold.until is None or today < hold.until) for hold in facts.holds):
        return Reason.ON_HOLD
    if any(_is_booked(appointment, today) for appointment in appointments_of(run, facts)):
        return Reason.BOOKED
    said = answers_of(run, facts)
    if any(_says_booked(answer, run, rules.calendar.zone, today) for answer in said):
        return Reason.BOOKED
    return min((HELD_BACK_BY[answer.kind] for answer in said if answer.kind in HELD_BACK_BY), default=None)


def answers_of(run: Run, facts: PatientFacts) -> tuple[Answer, ...]:
    """Return the answers that concern the run's line."""
    if not facts.answers:  # most have none, and this is asked of every run several times
        return ()
    return tuple(answer for answer in facts.answers if answer.concerns(run.episode.line))


def _says_booked(answer: Answer, run: Run, zone: str, today: dt.date) -> bool:
    """Tell whether the patient says that this run's visit is booked: for a day, as an appointment; else until closed.

    What began on the day it was said, or later, is a run of its own, which the visit has started.
    """
    if answer.kind is not AnswerKind.BOOKED or run.day is None:
        return False
    if answer.day is None:
        return run.day < local_day(zone, answer.at)
    return run.day < answer.day and today < answer.day + BOOKING_LASTS


def waits_for_closing(run: Run, facts: PatientFacts, zone: str, today: dt.date) -> bool:
    """Tell whether no booked day stops the run, but the patient's word alone, until staff have closed it."""
    if any(_is_booked(appointment, today) for appointment in appointments_of(run, facts)):
        return False
    return any(a.day is None and _says_booked(a, run, zone, today) for a in answers_of(run, facts))


def remind_on(run: Run, facts: PatientFacts) -> dt.date | None:
    """Return the day on which the patient asked to be reminded of this line; what was said last rules."""
    said = [(a.at, a.day) for a in answers_of(run, facts) if a.kind is AnswerKind.REMIND_LATER and a.day]
    return max(said)[1] if said else None


def appointments_of(run: Run, facts: PatientFacts) -> tuple[Appointment, ...]:
    """Return the appointments made for this run: of its line or of all, after its day."""
    day = run.day
    if day is None or not facts.appointments:
        return ()
    return tuple(a for a in facts.appointments if names_clock(a.line, run.episode.line) and a.day > day)


def _is_booked(appointment: Appointment, today: dt.date) -> bool:
    """Tell whether it still stands for a visit to come: to a week past its day, kept ones too, without a treatment."""
    open_or_kept = appointment.outcome in (None, Outcome.KEPT)
    return open_or_kept and today < appointment.day + BOOKING_LASTS


def quiet_until(day: dt.date, noted_on: dt.date | None) -> dt.date:
    """Return the day on which the peace after an appointment of `day` that was missed ends.

    It is counted from the later of that day and the one on which the miss was noted: noted late, it would be over.
    """
    return max(day, noted_on or day) + SNOOZE_AFTER_MISS


def quiet_ends(run: Run, facts: PatientFacts) -> tuple[dt.date, ...]:
    """Return for each missed appointment of the run the day on which the peace after it ends, soonest first."""
    missed = (a for a in appointments_of(run, facts) if a.outcome is Outcome.MISSED)
    return tuple(sorted(quiet_until(a.day, a.noted_on) for a in missed))
