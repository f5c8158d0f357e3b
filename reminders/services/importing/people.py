"""Decides what a file changes about a patient, against what is stored; restrictions win.

Invariants: no file turns a stored denied consent into another, nor brings the dead back; opt-outs and holds are not
touched; a patient's address key always belongs to the address that would be written to.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from reminders.domain.facts import Consent, Status
from reminders.services.importing.crosscheck import person_key
from reminders.services.importing.patients import Value
from reminders.services.keys import Keys
from reminders.store.patients import Patient

DUPLICATE = "possible_duplicate"
"""The code of the hold on the later of two numbers that seem to be one person's."""

_TYPED: Mapping[str, Callable[[str], object]] = {
    "birth_date": dt.date.fromisoformat,
    "consent": Consent,
    "status": Status,
}


@dataclass(frozen=True, slots=True)
class PersonChange:
    """The fields of `Patient` to set, the rows they come from, and whether who it is changes among them."""

    values: Mapping[str, object]
    rows: frozenset[int] = frozenset()
    is_someone_else: bool = False


def change_of(
    stored: Patient | None,
    values: Mapping[str, Value],
    practitioners: Mapping[str, int],
    locations: Mapping[str, int],
    keys: Keys,
) -> PersonChange:
    """Return what the file's `values` change about a patient, all of it for a new one."""
    wanted: dict[str, tuple[object, int]] = {}
    for column, value in values.items():
        if column == "practitioner":
            wanted["practitioner_id"] = (practitioners[folded(value.text)], value.row)
        elif column == "location":
            wanted["location_id"] = (locations[folded(value.text)], value.row)
        else:
            wanted[column] = (_TYPED.get(column, str)(value.text), value.row)
    changes = {
        name: (value, row)
        for name, (value, row) in wanted.items()
        if stored is None or (getattr(stored, name) != value and not _stays(stored, name))
    }
    fields = {name: value for name, (value, _) in changes.items()}
    who = {"email", "representative_email", "family_name", "birth_date"} & fields.keys()
    if {"email", "representative_email"} & fields.keys():
        fields["address_key"] = address_key(
            keys, _now("representative_email", fields, stored) or _now("email", fields, stored)
        )
    return PersonChange(fields, frozenset(row for _, row in changes.values()), bool(who))


def _stays(stored: Patient, name: str) -> bool:
    return (name == "consent" and stored.consent is Consent.DENIED) or (
        name == "status" and stored.status is Status.DECEASED
    )


def _now(name: str, fields: Mapping[str, object], stored: Patient | None) -> object:
    return fields[name] if name in fields else getattr(stored, name, None)


def address_key(keys: Keys, recipient: object) -> str | None:
    """Return the keyed hash of the address that would be written to; it is parsed, so that folding it normalises it."""
    return keys.address_key(str(recipient).casefold()) if recipient else None


def person_of(stored: Patient | None, fields: Mapping[str, object]) -> str:
    """Return who the patient is once `fields` are set, as `person_key` says it."""
    names = ("email", "representative_email", "family_name", "birth_date")
    values = {name: _now(name, fields, stored) for name in names}
    return person_key({name: str(value) if value else None for name, value in values.items()})


@lru_cache(maxsize=1024)
def folded(name: str) -> str:
    """Return the form in which names of staff and places are compared."""
    return " ".join(name.split()).casefold()
