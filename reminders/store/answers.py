"""What patients answered, through the links of their messages or to staff; their own words stand in their own row.

Invariants: an answer is never changed but by being closed (staff), withdrawn, or parted from what it stopped where
somebody else asks for that too; what nobody has to be told of is announced from the start.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, null, select, update

from reminders.domain.answers import LASTING, Answer, AnswerKind
from reminders.store.audit_trail import record
from reminders.store.database import Transaction
from reminders.store.fact_codes import answer_code
from reminders.store.patients import Patient
from reminders.store.rows import insert_row, pieces
from reminders.store.schema import answers, messages, patients

ABOUT_WRITING = frozenset({AnswerKind.STOPPED, AnswerKind.WRONG_PERSON})
"""Answers that work through opt-outs and suppressions; in the column of the lines they keep their `Stop`."""


MAY_ASK_NOBODY = frozenset({AnswerKind.STOPPED, AnswerKind.REMIND_LATER})
"""The kinds of which some answers are closed from the start, because nobody has to act on them."""


@dataclass(frozen=True, slots=True)
class Stop:
    """What an answer stopped: `scope` is "all" or a class.

    `patient` and `address` say whether the opt-out and the suppression of the address came from such an answer, and
    are lifted with it.
    """

    scope: str
    patient: bool = False
    address: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """An answer to be stored; without `message_pk` staff entered it. `asks_staff` is false where nobody must act."""

    kind: AnswerKind
    message_pk: int | None = None
    lines: frozenset[str] | None = None
    stop: Stop | None = None
    day: dt.date | None = None
    practitioner_id: int | None = None
    contact_by: str | None = None
    contact_when: str | None = None
    asks_staff: bool = True


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it is stored; `lines` None is every line.

    `asked_at` is when the message that it answers was made, `address_key` the key of the address that went to.
    """

    id: int
    clinic_id: int
    patient_id: int
    kind: AnswerKind
    at: dt.datetime
    closed_at: dt.datetime | None
    withdrawn_at: dt.datetime | None
    message_pk: int | None
    asked_at: dt.datetime | None
    address_key: str | None
    lines: frozenset[str] | None
    stop: Stop | None
    day: dt.date | None
    practitioner_id: int | None
    contact_by: str | None
    contact_when: str | None

    @property
    def fact(self) -> Answer | None:
        """Return it as the planner knows it; None for what is taken back, dealt with, or about writing at all."""
        over = self.closed_at is not None and self.kind not in LASTING
        if self.withdrawn_at is not None or over or self.kind in ABOUT_WRITING:
            return None
        return Answer(self.kind, self.at, self.lines, self.day, self.asked_at)


@dataclass(frozen=True, slots=True)
class Words:
    """What a patient wrote with an answer: a note, and another number to call."""

    note: str = ""
    phone: str = ""


def add_answer(tx: Transaction, patient: Patient, said: Said, words: Words | None = None) -> int:
    """Store an answer, and its words in the patient's own row; return its id."""
    told = said.message_pk is None or not said.asks_staff
    lines: object = sorted(said.lines) if said.lines is not None else None
    if said.stop is not None:
        lines = asdict(said.stop)
    values = {
        "clinic_id": patient.clinic_id,
        "patient_id": patient.id,
        "kind": said.kind,
        "at": tx.now,
        "closed_at": None if said.asks_staff else tx.now,
        "announced_at": tx.now if told else None,
        "message_pk": said.message_pk,
        "lines": lines,
        "day": said.day,
        "practitioner_id": said.practitioner_id,
        "contact_by": said.contact_by,
        "contact_when": said.contact_when,
    }
    key = insert_row(tx.connection, answers, values)
    code = answer_code(tx.audit_key, key, said.kind, said.lines, said.day, said.message_pk)
    details = {"kind": said.kind, "code": code, "asks": said.asks_staff}
    _record(tx, "answer", key, patient.clinic_id, patient.id, details)
    if words is not None and words != Words():
        kept = {"answer": key, "note": words.note, "phone": words.phone}
        _change_notes(tx, patient.id, lambda notes: [*notes, kept])
    return key


def withdraw_answers(tx: Transaction, taken_back: Iterable[StoredAnswer]) -> None:
    """Take answers of one patient back, with the words that came with them; nobody is told of them any more."""
    ids = [answer.id for answer in taken_back]
    c = answers.c
    change = update(answers).where(c.id.in_(ids), c.withdrawn_at.is_(None))
    change = change.values(withdrawn_at=tx.now, announced_at=func.coalesce(c.announced_at, tx.now))
    rows = tx.connection.execute(change.returning(c.id, c.clinic_id, c.patient_id)).all()
    for key, clinic_id, patient_id in rows:
        _record(tx, "withdraw", key, clinic_id, patient_id)
    for patient_id in {row.patient_id for row in rows}:
        _change_notes(tx, patient_id, lambda notes: [note for note in notes if note.get("answer") not in ids])


def part_from(tx: Transaction, answer: StoredAnswer, *, patient: bool = False, address: bool = False) -> None:
    """Let the opt-out (`patient`), or the suppression of the address, stay when this stop is taken back."""
    if answer.stop is None or not ((patient and answer.stop.patient) or (address and answer.stop.address)):
        return
    left = Stop(answer.stop.scope, answer.stop.patient and not patient, answer.stop.address and not address)
    tx.connection.execute(update(answers).where(answers.c.id == answer.id).values(lines=asdict(left)))
    _record(tx, "part", answer.id, answer.clinic_id, answer.patient_id, {"patient": patient, "address": address})


def close_answer(tx: Transaction, answer_id: int) -> bool:
    """Close one answer; False when it is none, is closed, or was taken back."""
    return _close(tx, answers.c.id == answer_id) == 1


def close_answers(tx: Transaction, patient_id: int, kind: AnswerKind | None = None) -> int:
    """Close the patient's open answers, of one kind or of all; return how many."""
    conditions = [answers.c.patient_id == patient_id]
    if kind is not None:
        conditions.append(answers.c.kind == kind)
    return _close(tx, *conditions)


def _close(tx: Transaction, *conditions: ColumnElement[bool]) -> int:
    c = answers.c
    told = func.coalesce(c.announced_at, tx.now)
    change = update(answers).where(*conditions, *_open()).values(closed_at=tx.now, announced_at=told)
    closed = tx.connection.execute(change.returning(c.id, c.clinic_id, c.patient_id)).all()
    for key, clinic_id, patient_id in closed:
        _record(tx, "close", key, clinic_id, patient_id)
    return len(closed)


def answer_by_id(tx: Transaction, answer_id: int) -> StoredAnswer | None:
    """Return the answer of that id."""
    return next(iter(_found(tx, answers.c.id == answer_id)), None)


def open_answers(tx: Transaction, patient_id: int) -> list[StoredAnswer]:
    """Return the patient's open answers, oldest first."""
    return _found(tx, answers.c.patient_id == patient_id, *_open())


def answers_of(tx: Transaction, patient_id: int) -> list[StoredAnswer]:
    """Return everything the patient answered, what was taken back too, oldest first."""
    return _found(tx, answers.c.patient_id == patient_id)


def standing(tx: Transaction, patient_id: int) -> list[StoredAnswer]:
    """Return the patient's answers that were not taken back, closed ones too, oldest first."""
    return _found(tx, answers.c.patient_id == patient_id, answers.c.withdrawn_at.is_(None))


def standing_at(tx: Transaction, clinic_id: int, address_key: str) -> list[StoredAnswer]:
    """Return what the readers of that address stopped and did not take back, whichever patient they answered for."""
    c = answers.c
    mine = select(messages.c.id).where(messages.c.clinic_id == clinic_id, messages.c.address_key == address_key)
    about_writing = c.kind.in_(sorted(ABOUT_WRITING))
    return _found(tx, c.clinic_id == clinic_id, about_writing, c.withdrawn_at.is_(None), c.message_pk.in_(mine))


def worklist(tx: Transaction, clinic_id: int | None, *, closed: bool) -> list[StoredAnswer]:
    """Return what is open, of one clinic or of all, oldest first; with `closed` what was dealt with or taken back too.

    What erased patients answered asks nothing of anybody.
    """
    conditions = [_not_erased()]
    if clinic_id is not None:
        conditions.append(answers.c.clinic_id == clinic_id)
    if not closed:
        conditions += _open()
    return _found(tx, *conditions)


def unannounced(tx: Transaction) -> dict[int, list[tuple[int, AnswerKind]]]:
    """Return, by clinic, the id and kind of the open answers that the clinic was not told of."""
    c = answers.c
    known = c.kind.in_(list(AnswerKind))  # another stands in a damaged row, which keeps nobody else waiting
    query = select(c.clinic_id, c.id, c.kind).where(c.announced_at.is_(None), known, *_open(), _not_erased())
    found: dict[int, list[tuple[int, AnswerKind]]] = {}
    for clinic_id, key, kind in tx.connection.execute(query.order_by(c.clinic_id, c.id)):
        found.setdefault(clinic_id, []).append((key, AnswerKind(kind)))
    return found


def mark_announced(tx: Transaction, answer_ids: Iterable[int]) -> None:
    """Note that the clinic was told of these answers."""
    c = answers.c
    for piece in pieces(answer_ids):
        told = update(answers).where(c.id.in_(piece), c.announced_at.is_(None))
        tx.connection.execute(told.values(announced_at=tx.now))


def words_of(notes: Sequence[Mapping[str, Any]]) -> dict[int, Words]:
    """Return what stands in a patient's notes of each answer, by its id."""
    return {
        note["answer"]: Words(str(note.get("note", "")), str(note.get("phone", "")))
        for note in notes
        if isinstance(note.get("answer"), int)
    }


def answer_rows(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Return the query for answers, each with what is to be known of the message it answers, oldest first."""
    m = messages.c
    told = select(answers, m.created_at.label("asked_at"), m.address_key)
    told = told.outerjoin(messages, m.id == answers.c.message_pk)
    return told.where(*conditions).order_by(answers.c.at, answers.c.id)


def stored_answer(row: Mapping[Any, Any]) -> StoredAnswer:
    """Return a row of `answer_rows` as a value."""
    kind, kept = AnswerKind(row["kind"]), row["lines"]
    about_writing = kind in ABOUT_WRITING
    stop = Stop(kept["scope"], kept["patient"], kept["address"]) if about_writing and isinstance(kept, dict) else None
    names = ("id", "clinic_id", "patient_id", "at", "closed_at", "withdrawn_at", "message_pk")
    more = ("asked_at", "address_key", "day", "practitioner_id", "contact_by", "contact_when")
    return StoredAnswer(
        kind=kind,
        lines=frozenset(kept) if isinstance(kept, list) else None,
        stop=stop,
        **{name: row[name] for name in (*names, *more)},
    )


def _found(tx: Transaction, *conditions: ColumnElement[bool]) -> list[StoredAnswer]:
    return [stored_answer(row) for row in tx.connection.execute(answer_rows(*conditions)).mappings()]


def _open() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return answers.c.closed_at.is_(None), answers.c.withdrawn_at.is_(None)


def _not_erased() -> ColumnElement[bool]:
    return exists().where(patients.c.id == answers.c.patient_id, patients.c.erased_at.is_(None))


def _change_notes(tx: Transaction, patient_id: int, change: Callable[[list[Any]], list[Any]]) -> None:
    """Change what stands in a patient's notes; nothing is written where nothing changes."""
    before = list(tx.connection.execute(select(patients.c.notes).where(patients.c.id == patient_id)).scalar_one() or ())
    after = change(before)
    if after != before:
        tx.connection.execute(update(patients).where(patients.c.id == patient_id).values(notes=after or null()))


def _record(
    tx: Transaction,
    action: str,
    key: int,
    clinic_id: int,
    patient_id: int,
    details: Mapping[str, object] | None = None,
) -> None:
    record(tx, action, "answer", key, clinic_id=clinic_id, patient_id=patient_id, details=details)
