"""Patients: who they are, how they are found, and how one is erased.

Invariant: a patient's data stands in this table (and in kept messages) only; audit entries name fields, never values.
Of what keeps messages back the trail holds codes, so that the audit sees a row that somebody else loosened.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, func, null, select, update

from reminders.domain.facts import Consent, Status
from reminders.store.among import among
from reminders.store.audit_trail import Event, record, record_many, sign
from reminders.store.database import Transaction
from reminders.store.rows import insert_row, insert_rows, pieces
from reminders.store.schema import holds, links, messages, patients, treatments


@dataclass(frozen=True, slots=True)
class Patient:
    """A person of one clinic, known there by `ref`; `notes` are staff's own words, and the patient's with an answer."""

    id: int
    clinic_id: int
    ref: str
    given_name: str | None
    family_name: str | None
    known_as: str | None
    email: str | None
    phone: str | None
    postal_address: str | None
    language: str | None
    birth_date: dt.date | None
    representative_email: str | None
    consent: Consent
    status: Status
    practitioner_id: int | None
    location_id: int | None
    address_key: str | None
    notes: tuple[Mapping[str, Any], ...]
    erased_at: dt.datetime | None
    replan_at: dt.datetime | None
    created_at: dt.datetime

    @property
    def recipient(self) -> str | None:
        """Return the address that mail for this patient goes to: the representative's, else their own."""
        return self.representative_email or self.email


_COLUMNS = [patients.c[name] for name in Patient.__slots__]
_UNSAID: Mapping[str, object] = {
    **dict.fromkeys(column.name for column in patients.c if column.name != "id"),
    "consent": Consent.UNKNOWN,
    "status": Status.ACTIVE,
}
"""What a patient is of whom nothing was said."""
_PERSONAL = (
    "given_name",
    "family_name",
    "known_as",
    "email",
    "phone",
    "postal_address",
    "language",
    "birth_date",
    "representative_email",
    "address_key",
    "notes",
)


def add_patient(tx: Transaction, clinic_id: int, ref: str, values: Mapping[str, object]) -> Patient:
    """Add a patient from fields of `Patient`; consent unknown and status active unless said otherwise."""
    row = _row(tx, clinic_id, ref, values)
    key = insert_row(tx.connection, patients, row)
    details = _told(tx, key, values, row)
    record(tx, "add", "patient", key, clinic_id=clinic_id, patient_id=key, details=details)
    return _patient([key, *(row[name] for name in Patient.__slots__[1:])])


def add_patients(tx: Transaction, clinic_id: int, people: Sequence[tuple[str, Mapping[str, object]]]) -> dict[str, int]:
    """Add many patients from (ref, fields) with one statement; return their ids by ref."""
    rows = [_row(tx, clinic_id, ref, values) for ref, values in people]
    added = list(zip(insert_rows(tx.connection, patients, rows), people, rows, strict=True))
    told = ((key, _told(tx, key, values, row)) for key, (_, values), row in added)
    record_many(tx, [Event("add", "patient", key, clinic_id, key, details) for key, details in told])
    return {ref: key for key, (ref, _), _ in added}


def patient_by_id(tx: Transaction, patient_id: int) -> Patient:
    """Return the patient of an id that the store gave out."""
    return _patient(tx.connection.execute(select(*_COLUMNS).where(patients.c.id == patient_id)).one())


def patients_by_ids(tx: Transaction, patient_ids: Iterable[int]) -> dict[int, Patient]:
    """Return the patients of these ids, by id."""
    found = {}
    for piece in pieces(patient_ids):
        for row in tx.connection.execute(_BY_IDS, {"asked": piece}):
            found[row[0]] = _patient(row)
    return found


def take_patients(tx: Transaction, patient_ids: Collection[int]) -> dict[int, Patient]:
    """Return these patients by id, and keep other workers from claiming for them until the transaction ends.

    Whom another worker is at is left out: that one sees the same facts and claims what is due; should it die, the
    patient is due again.
    """
    rows = tx.connection.execute(_FREE, {"asked": patient_ids}) if patient_ids else ()
    return {row[0]: _patient(row) for row in rows}


_BY_IDS = select(*_COLUMNS).where(among(patients.c.id))
_FREE = _BY_IDS.with_for_update(skip_locked=True, key_share=True)  # rows that refer to the patient may be added


def standing(tx: Transaction, patient_ids: Collection[int]) -> frozenset[int]:
    """Return which of these patients are not erased."""
    return frozenset(tx.connection.execute(_STANDING, {"asked": patient_ids}).scalars())


_STANDING = select(patients.c.id).where(among(patients.c.id), patients.c.erased_at.is_(None))


def patient_by_ref(tx: Transaction, clinic_id: int, ref: str) -> Patient | None:
    """Return the clinic's patient of that number."""
    return patients_by_refs(tx, clinic_id, [ref]).get(ref)


def patients_by_refs(tx: Transaction, clinic_id: int, refs: Iterable[str]) -> dict[str, Patient]:
    """Return those of the clinic's patients that have these numbers, by number."""
    found = {}
    for piece in pieces(refs):
        for row in tx.connection.execute(_BY_REFS, {"clinic": clinic_id, "asked": piece}):
            found[row.ref] = _patient(row)
    return found


_OF_CLINIC = select(*_COLUMNS).where(patients.c.clinic_id == bindparam("clinic"))
_BY_REFS = _OF_CLINIC.where(among(patients.c.ref))
_BY_ADDRESS_KEYS = _OF_CLINIC.where(among(patients.c.address_key))


def patients_by_address_keys(tx: Transaction, clinic_id: int, keys: Iterable[str]) -> list[Patient]:
    """Return the clinic's patients whose mail goes to the addresses of these keyed hashes, by id; erased ones never."""
    found = []
    for piece in pieces(keys):
        rows = tx.connection.execute(_BY_ADDRESS_KEYS, {"clinic": clinic_id, "asked": piece})
        found += [_patient(row) for row in rows]
    return sorted(found, key=lambda patient: patient.id)


def refs_of(tx: Transaction, patient_ids: Iterable[int]) -> dict[int, str]:
    """Return the clinics' own numbers of these patients, by id."""
    found: dict[int, str] = {}
    for piece in pieces(patient_ids):
        found.update((patient_id, ref) for patient_id, ref in tx.connection.execute(_REFS, {"asked": piece}))
    return found


_REFS = select(patients.c.id, patients.c.ref).where(among(patients.c.id))


def patients_of(
    tx: Transaction, clinic_id: int | None = None, after_id: int = 0, limit: int = 1000
) -> list[tuple[int, int]]:
    """Return the next (patient id, clinic id) pairs behind `after_id`, by id, of one clinic or of all."""
    c = patients.c
    query: Select[int, int] = select(c.id, c.clinic_id).where(c.id > after_id).order_by(c.id).limit(limit)
    if clinic_id is not None:
        query = query.where(c.clinic_id == clinic_id)
    return [(patient_id, owner) for patient_id, owner in tx.connection.execute(query)]


def spans(tx: Transaction, clinic_id: int, size: int) -> list[tuple[int, int]]:
    """Return the first and the last id of every `size` patients of a clinic, who follow one another by id."""
    c = patients.c
    place = (func.row_number().over(order_by=c.id) - 1).label("place")
    numbered = select(c.id, place).where(c.clinic_id == clinic_id).subquery()
    part = numbered.c.place // size
    query = select(func.min(numbered.c.id), func.max(numbered.c.id)).group_by(part).order_by(func.min(numbered.c.id))
    return [(first, last) for first, last in tx.connection.execute(query)]


def count(tx: Transaction, clinic_id: int | None = None) -> int:
    """Count the patients of one clinic, or of all."""
    query = select(func.count()).select_from(patients)
    if clinic_id is not None:
        query = query.where(patients.c.clinic_id == clinic_id)
    return int(tx.connection.execute(query).scalar_one())


def change_patient(tx: Transaction, patient_id: int, changes: Mapping[str, object]) -> None:
    """Set fields of a patient, by the names of `Patient`."""
    if not changes:
        return
    clinic_id = _set(tx, patients.c.id == patient_id, changes)
    details = _told(tx, patient_id, changes, changes)
    record(tx, "change", "patient", patient_id, clinic_id=clinic_id, patient_id=patient_id, details=details)


def add_note(tx: Transaction, patient_id: int, about: str, text: str) -> None:
    """Keep a sentence of staff about a patient, here and nowhere else, because it may name people.

    Of an erased patient nothing is kept: what staff decide about their messages stands on the trail, without words.
    """
    patient = patient_by_id(tx, patient_id)
    if patient.erased_at is not None:
        return
    note = {"at": tx.now.astimezone(dt.UTC).isoformat(), "actor": tx.actor, "about": about, "text": text}
    clinic_id = _set(tx, patients.c.id == patient_id, {"notes": [*patient.notes, note]})
    details = {"about": about}
    record(tx, "note", "patient", patient_id, clinic_id=clinic_id, patient_id=patient_id, details=details)


def erase_patient(tx: Transaction, patient_id: int) -> None:
    """Blank everything that tells who the patient is; ids, days and states stay, so that promises can be checked.

    Kept messages lose their bytes and links; the entries' numbers go, because a clinic's system may spell a name in
    them. The address stays as a keyed hash in the suppressions alone. The bytes leave SQLite's files with the next
    checkpoint of its log.
    """
    blank: dict[str, object] = {name: null() for name in _PERSONAL}
    blank |= {"ref": f"erased-{patient_id}", "erased_at": tx.now, "replan_at": null()}
    clinic_id = _set(tx, patients.c.id == patient_id, blank)
    hidden = {"content": null(), "address_key": null(), "fingerprint": null()}
    tx.connection.execute(update(messages).where(messages.c.patient_id == patient_id).values(hidden))
    tx.connection.execute(update(treatments).where(treatments.c.patient_id == patient_id).values(ref=null()))
    tx.connection.execute(update(holds).where(holds.c.patient_id == patient_id).values(code="erased"))
    tx.connection.execute(delete(links).where(links.c.patient_id == patient_id))
    record(tx, "erase", "patient", patient_id, clinic_id=clinic_id, patient_id=patient_id)


def birth_code(key: bytes, patient_id: int, day: dt.date | None) -> str | None:
    """Return what the trail holds of a birth date: a keyed hash, another one for each patient; None for none."""
    return None if day is None else sign(key, "birth date", f"{patient_id} {day.isoformat()}")[:32]


def address_code(key: bytes, patient_id: int, address_key: str | None) -> str | None:
    """Return what the trail holds of whose address it is: a code of the patient and the address's hash; None for none.

    Another patient's address fits its hash as well as one's own: only the trail tells who was entered with it.
    """
    return None if address_key is None else sign(key, "address", f"{patient_id} {address_key}")[:32]


def _told(
    tx: Transaction, patient_id: int, fields: Mapping[str, object], row: Mapping[str, object]
) -> dict[str, object]:
    """Return what the trail is told of a change: the names of the fields, and codes of what keeps messages back."""
    codes: dict[str, str | None] = {name: str(row[name]) for name in ("consent", "status") if name in row}
    day = row.get("birth_date")
    if "birth_date" in fields:
        codes["birth_date"] = birth_code(tx.audit_key, patient_id, day if isinstance(day, dt.date) else None)
    if "address_key" in row:
        address_key = row["address_key"]
        codes["address_key"] = address_code(tx.audit_key, patient_id, str(address_key) if address_key else None)
    return {"fields": sorted(fields)} | ({"codes": codes} if codes else {})


def _row(tx: Transaction, clinic_id: int, ref: str, values: Mapping[str, object]) -> dict[str, Any]:
    own = {"clinic_id": clinic_id, "ref": ref, "created_at": tx.now.astimezone(dt.UTC)}
    return {**_UNSAID, **values, **own}


def _set(tx: Transaction, condition: ColumnElement[bool], values: Mapping[str, object]) -> int:
    change = update(patients).where(condition).values(**values).returning(patients.c.clinic_id)
    return int(tx.connection.execute(change).scalar_one())


def _patient(row: Sequence[Any]) -> Patient:
    """Make a patient of the columns `_COLUMNS`, in their order."""
    *before, consent, status, practitioner, location, address_key, notes, erased_at, replan_at, created_at = row
    rest = (practitioner, location, address_key, tuple(notes or ()), erased_at, replan_at, created_at)
    values: tuple[Any, ...] = (*before, Consent(consent), Status(status), *rest)
    return Patient(*values)
