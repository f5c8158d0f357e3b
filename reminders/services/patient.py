"""Enrols patients and keeps what is known of them: addresses, consent, status, holds, opt-outs; plans them at once.

Invariants: a patient's address key always belongs to the address that would be written to; a death and an opt-out are
taken back only by a person who says so expressly.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reminders.domain.answers import AnswerKind
from reminders.domain.facts import EVERY_LINE, OPT_OUT_ALL, Consent, Status
from reminders.domain.interval import Interval
from reminders.domain.lifecycle import Reason
from reminders.domain.protocol import TreatmentClass, names_clock
from reminders.domain.sending_hours import local_day
from reminders.errors import BadInput
from reminders.mail.address import normalise
from reminders.services import typed
from reminders.services.answering.stopping import forget_stops, keep_for_staff
from reminders.services.find import the_line, the_patient, the_practitioner
from reminders.services.keys import Keys
from reminders.services.plan import PlanOutcome, plan_patients
from reminders.store import answers, contacts, patients
from reminders.store.answers import Said
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction
from reminders.store.patients import Patient

LONGEST_REF = 64
HOLD_CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}")
LONGEST_OWN_INTERVAL = dt.timedelta(days=10 * 366)
SCOPES = ("all", *TreatmentClass)


class PatientExists(BadInput):
    """Clinic {clinic} already has a patient {ref}: change them with `reminders patient set`."""


class StaysDeceased(BadInput):
    """Patient {ref} is recorded as deceased: add --undo-death if that was a mistake."""


class NotOptedOut(BadInput):
    """Patient {ref} has not opted out of {scope}: `reminders patient show` tells what is recorded."""


class NoSuchHold(BadInput):
    """Patient {ref} has no open hold{where}: `reminders patient show` lists them."""


@dataclass(frozen=True, slots=True)
class PatientChange:
    """What is to change about a patient: columns as typed, and the decisions beside them."""

    given: Mapping[str, Any] = field(default_factory=dict)
    opt_out: str | None = None
    opt_in: str | None = None
    due: str | None = None
    line: str | None = None
    undo_death: bool = False


def add_patient(tx: Transaction, keys: Keys, clinic: Clinic, ref: str, given: Mapping[str, Any]) -> Patient:
    """Enrol a patient under the clinic's own number; `given` holds what was typed, by column."""
    ref = _ref(ref)
    if patients.patient_by_ref(tx, clinic.id, ref) is not None:
        raise PatientExists(clinic=clinic.slug, ref=ref)
    values = {"consent": Consent.UNKNOWN, "status": Status.ACTIVE, **patient_values(tx, clinic, given)}
    values["address_key"] = _address_key(keys, values.get("representative_email") or values.get("email"))
    return patients.add_patient(tx, clinic.id, ref, values)


def change_patient(
    tx: Transaction, keys: Keys, clinic: Clinic, ref: str, change: PatientChange
) -> tuple[Patient, PlanOutcome]:
    """Change a patient as asked and plan them, with everybody else whom an opt-out of their address stops."""
    before = the_patient(tx, clinic, ref)
    values = patient_values(tx, clinic, change.given)
    revives = before.status is Status.DECEASED and values.get("status", before.status) is not Status.DECEASED
    if revives and not change.undo_death:
        raise StaysDeceased(ref=ref)
    if {"email", "representative_email"} & values.keys():
        email = values.get("email", before.email)
        values["address_key"] = _address_key(
            keys, values.get("representative_email", before.representative_email) or email
        )
    if values:
        patients.change_patient(tx, before.id, values)
    after = the_patient(tx, clinic, ref)
    if change.due is not None:
        due = None if change.due == "" else _own_interval(change.due)
        contacts.set_own_interval(tx, after, the_line(tx, after, change.line) or EVERY_LINE, due)
    touched = {after.id, *_opted(tx, after, change)}
    return after, plan_patients(tx, clinic, sorted(touched))


def _own_interval(text: str) -> Interval:
    """Return an interval of the patient's own: forward, and no longer than a window can be."""
    found = Interval.parse(text)
    first = dt.date(2000, 1, 1)
    if found.negative or not first < found.after(first) <= first + LONGEST_OWN_INTERVAL:
        raise typed.BadValue(field="--due", problem="write an interval between 1d and 10y, such as 14w")
    return found


def _opted(tx: Transaction, patient: Patient, change: PatientChange) -> set[int]:
    """Record an opt-out or its taking back; return the patients who share the address."""
    if change.opt_out is None and change.opt_in is None:
        return set()
    for option, scope in (("--opt-out", change.opt_out), ("--opt-in", change.opt_in)):
        if scope is not None:
            typed.one_of(option, scope, SCOPES)
    if change.opt_out is not None:
        contacts.add_opt_out(tx, patient, change.opt_out)
        if patient.address_key:
            contacts.suppress(tx, patient.clinic_id, patient.address_key, change.opt_out, Reason.OPTED_OUT)
        keep_for_staff(tx, patient, change.opt_out)
    if change.opt_in is not None:
        _opt_in(tx, patient, change.opt_in)
    if not patient.address_key:
        return set()
    return {other.id for other in patients.patients_by_address_keys(tx, patient.clinic_id, [patient.address_key])}


def _opt_in(tx: Transaction, patient: Patient, scope: str) -> None:
    """Take an opt-out back: `all` every scope, a class also out of an opt-out of all, which then leaves the other.

    What an erasure left under the address stays: it belongs to somebody else's wish. Raises `NotOptedOut`.
    """
    key = patient.address_key
    out = set(contacts.opt_outs(tx, patient.id))
    if key:
        out |= {s.scope for s in contacts.suppressions_of(tx, patient.clinic_id, key) if s.reason is Reason.OPTED_OUT}
    lifted = out if scope == OPT_OUT_ALL else out & {scope, OPT_OUT_ALL}
    if not lifted:
        raise NotOptedOut(ref=patient.ref, scope=scope)
    staying = set(TreatmentClass) - {scope} if scope != OPT_OUT_ALL and OPT_OUT_ALL in lifted else set()
    for one in lifted:
        contacts.remove_opt_out(tx, patient, one)
        if key:
            contacts.lift_suppression(tx, patient.clinic_id, key, one, Reason.OPTED_OUT)
    forget_stops(tx, patient, lifted)
    for one in staying:
        contacts.add_opt_out(tx, patient, one)
        if key:
            contacts.suppress(tx, patient.clinic_id, key, one, Reason.OPTED_OUT)


def hold_patient(
    tx: Transaction, clinic: Clinic, ref: str, line: str | None, until: dt.date | None, code: str
) -> PlanOutcome:
    """Keep a patient's reminders of a line (None: all) back until a day, or until a person ends the hold (None)."""
    patient = the_patient(tx, clinic, ref)
    line = the_line(tx, patient, line)
    if until is not None and until <= local_day(clinic.timezone, tx.now):
        raise typed.BadValue(field="--until", problem="it must lie after today; write `open` for a hold without an end")
    if not HOLD_CODE.fullmatch(code):
        raise typed.BadValue(field="--why", problem="give a short code of letters, digits, - and _, such as pregnancy")
    contacts.add_hold(tx, patient, line, until, code)
    return plan_patients(tx, clinic, [patient.id])


def end_holds(tx: Transaction, clinic: Clinic, ref: str, line: str | None) -> PlanOutcome:
    """End a patient's open holds of a line, or all of them."""
    patient = the_patient(tx, clinic, ref)
    every = [hold for hold in contacts.holds(tx, patient.id) if hold.ended_at is None]
    open_holds = [hold for hold in every if line is None or (hold.line and names_clock(line, hold.line))]
    if not open_holds:
        raise NoSuchHold(ref=ref, where=f" on {line}" if line else "")
    for hold in open_holds:
        contacts.end_hold(tx, hold.id)
    return plan_patients(tx, clinic, [patient.id])


def answer(tx: Transaction, clinic: Clinic, ref: str, kind: Reason | None) -> PlanOutcome:
    """Record an answer of the patient, or with None close those that are open."""
    return close_answers(tx, clinic, ref) if kind is None else log_answer(tx, clinic, ref, kind)


def log_answer(tx: Transaction, clinic: Clinic, ref: str, kind: Reason) -> PlanOutcome:
    """Record that the patient replied, or asked for a consultation: further steps wait until it is closed."""
    patient = the_patient(tx, clinic, ref)
    answers.add_answer(tx, patient, Said(AnswerKind(kind.value)))
    return plan_patients(tx, clinic, [patient.id])


def close_answers(tx: Transaction, clinic: Clinic, ref: str) -> PlanOutcome:
    """Close a patient's open answers: what was withheld returns where its days last."""
    patient = the_patient(tx, clinic, ref)
    answers.close_answers(tx, patient.id)
    return plan_patients(tx, clinic, [patient.id])


def patient_values(tx: Transaction, clinic: Clinic, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checked columns of a patient; an empty text takes an optional value away."""
    checks: dict[str, Callable[[str], object]] = {
        "given_name": lambda v: typed.text("--given-name", v),
        "family_name": lambda v: typed.text("--family-name", v),
        "known_as": lambda v: typed.text("--known-as", v),
        "email": lambda v: typed.address("--email", v),
        "phone": lambda v: typed.text("--phone", v),
        "postal_address": lambda v: typed.text("--postal-address", v, lines=True),
        "language": typed.language,
        "representative_email": lambda v: typed.address("--representative-email", v),
        "consent": lambda v: Consent(typed.one_of("--consent", v, tuple(Consent))),
        "status": lambda v: Status(typed.one_of("--status", v, tuple(Status))),
    }
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name == "practitioner":
            values["practitioner_id"] = the_practitioner(tx, clinic, value).id if value else None
        elif name == "birth_date":
            values[name] = _birth_date(clinic, value, tx.now)
        elif value == "" and name not in ("consent", "status", "given_name", "family_name"):
            values[name] = None
        else:
            values[name] = checks[name](value)
    return values


def _birth_date(clinic: Clinic, value: dt.date | None, now: dt.datetime) -> dt.date | None:
    if value is not None and not local_day(clinic.timezone, now) - dt.timedelta(days=130 * 366) < value <= local_day(
        clinic.timezone, now
    ):
        raise typed.BadValue(field="--birth-date", problem="it lies in the future, or more than 130 years back")
    return value


def _address_key(keys: Keys, recipient: object) -> str | None:
    return keys.address_key(normalise(str(recipient))) if recipient else None


def _ref(value: str) -> str:
    found = typed.text("--ref", value)
    if len(found) > LONGEST_REF:
        raise typed.BadValue(field="--ref", problem=f"it is longer than {LONGEST_REF} characters")
    return found
