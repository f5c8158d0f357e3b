"""The staff's list of what patients answered: what is open, oldest first, and its closing.

Invariants: a request is closed once, with a sentence of why that stands in the patient's record; what it held back is
planned in the same transaction. What was taken back is never open, and what erased patients asked is on nobody's list.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reminders.domain.answers import LASTING, AnswerKind
from reminders.errors import BadInput
from reminders.services import typed
from reminders.services.find import clinic_of, the_clinic
from reminders.services.plan import plan_patients
from reminders.store import answers, clinics, patients
from reminders.store.answers import ABOUT_WRITING, StoredAnswer, Words, words_of
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction
from reminders.store.patients import Patient


class NoSuchRequest(BadInput):
    """There is no request {id}: `reminders requests list --all` shows the ids."""


class RequestClosed(BadInput):
    """Request {id} is not open any more: `reminders requests list` shows those that are."""


class NotForStaffToDeny(BadInput):
    """Request {id} is about writing at all: `reminders patient set` lifts a stop (--opt-in) or mends the --email."""


@dataclass(frozen=True, slots=True)
class RequestView:
    """One answer as staff read it.

    `phone` is the number to call: the one given with the answer, else the patient's; `lines` None is every line;
    `scope` is what messages were stopped ("all" or a class); `zone` is the clinic's.
    """

    id: int
    clinic: str
    patient: str
    kind: AnswerKind
    at: dt.datetime
    closed_at: dt.datetime | None
    withdrawn_at: dt.datetime | None
    practitioner: str | None
    contact_by: str | None
    contact_when: str | None
    day: dt.date | None
    lines: tuple[str, ...] | None
    scope: str | None
    note: str
    phone: str | None
    zone: str

    @property
    def is_open(self) -> bool:
        """Tell whether it still waits for staff."""
        return self.closed_at is None and self.withdrawn_at is None


def requests(tx: Transaction, slug: str | None, *, closed: bool) -> tuple[RequestView, ...]:
    """Return what is open, those to be phoned first, then oldest first; `closed` adds what is not open any more.

    That is what staff closed, and what patients took back or changed.
    """
    clinic = the_clinic(tx, slug) if slug is not None else None
    found = _views(tx, answers.worklist(tx, clinic.id if clinic else None, closed=closed))
    return tuple(sorted(found, key=lambda view: (not view.is_open, view.kind is not AnswerKind.PHONE_ME)))


def close_request(tx: Transaction, answer_id: int, why: str, *, untrue: bool = False) -> RequestView:
    """Close an answer with a sentence of why, and plan its patient; raises `NoSuchRequest` or `RequestClosed`.

    `untrue`: what was said does not hold, and is withdrawn, also when it was closed before and lasts: a treatment
    elsewhere then ended nothing. Raises `NotForStaffToDeny` for what is about writing to the patient at all.
    """
    why = typed.text("--why", why)
    found = answers.answer_by_id(tx, answer_id)
    if found is None or patients.patient_by_id(tx, found.patient_id).erased_at is not None:
        raise NoSuchRequest(id=answer_id)
    if untrue and found.kind in ABOUT_WRITING:
        raise NotForStaffToDeny(id=answer_id)
    lasts = untrue and found.kind in LASTING
    if found.withdrawn_at is not None or not (answers.close_answer(tx, answer_id) or lasts):
        raise RequestClosed(id=answer_id)
    if untrue:
        answers.withdraw_answers(tx, [found])
    patients.add_note(tx, found.patient_id, f"answer {answer_id} {'untrue' if untrue else 'closed'}", why)
    plan_patients(tx, clinic_of(tx, found.clinic_id), [found.patient_id])
    closed = answers.answer_by_id(tx, answer_id)
    return _views(tx, [closed or found])[0]


def _views(tx: Transaction, said: Iterable[StoredAnswer]) -> list[RequestView]:
    said = list(said)
    people = patients.patients_by_ids(tx, {answer.patient_id for answer in said})
    places = {clinic_id: clinic_of(tx, clinic_id) for clinic_id in {answer.clinic_id for answer in said}}
    staff = {one.id: one.name for clinic_id in places for one in clinics.practitioners(tx, clinic_id)}
    words = {number: text for person in people.values() for number, text in words_of(person.notes).items()}
    return [_view(answer, people[answer.patient_id], places[answer.clinic_id], staff, words) for answer in said]


def _view(
    answer: StoredAnswer, patient: Patient, clinic: Clinic, staff: Mapping[int, str], words: Mapping[int, Words]
) -> RequestView:
    written = words.get(answer.id, Words())
    return RequestView(
        id=answer.id,
        clinic=clinic.slug,
        patient=patient.ref,
        kind=answer.kind,
        at=answer.at,
        closed_at=answer.closed_at,
        withdrawn_at=answer.withdrawn_at,
        practitioner=staff.get(answer.practitioner_id or 0),
        contact_by=answer.contact_by,
        contact_when=answer.contact_when,
        day=answer.day,
        lines=None if answer.lines is None else tuple(sorted(answer.lines)),
        scope=answer.stop.scope if answer.stop else None,
        note=written.note,
        phone=written.phone or patient.phone,
        zone=clinic.timezone,
    )
