"""Treatments as they were entered, and the episodes they belong to.

Invariant: an entry is never changed or deleted; it is marked as entered in error and keeps its key.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update

from reminders.domain.facts import Kind
from reminders.store.among import among
from reminders.store.audit_trail import Event, record, record_many
from reminders.store.database import Transaction
from reminders.store.fact_codes import run_code, treatment_code
from reminders.store.rows import insert_row, insert_rows, pieces
from reminders.store.schema import episodes, treatments

Entered = tuple[int, int | None, str, dt.date, Kind, int | None, str | None]
"""A visit to enter: patient, episode, protocol, day, kind, practitioner, ref."""

Run = tuple[str, int | None]
"""An episode's line, and the episode that it continues."""


@dataclass(frozen=True, slots=True)
class TreatmentRow:
    """An entry; `withdrawn_at` says it was entered in error, `replaced_by_id` by which entry it was corrected."""

    id: int
    clinic_id: int
    patient_id: int
    episode_id: int | None
    protocol: str
    day: dt.date
    kind: Kind
    practitioner_id: int | None
    ref: str | None
    entered_at: dt.datetime
    withdrawn_at: dt.datetime | None
    replaced_by_id: int | None


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """One run of a line's clock, found by its patient, line, first day and ordinal."""

    id: int
    patient_id: int
    line: str
    first_day: dt.date
    ordinal: int
    continues_id: int | None
    created_at: dt.datetime


def add_treatment(  # noqa: PLR0913, PLR0917 - an entry's parts
    tx: Transaction,
    clinic_id: int,
    patient_id: int,
    episode_id: int | None,
    protocol: str,
    day: dt.date,
    kind: Kind,
    practitioner_id: int | None = None,
    ref: str | None = None,
) -> TreatmentRow:
    """Enter what was done at a visit."""
    values = {
        "clinic_id": clinic_id,
        "patient_id": patient_id,
        "episode_id": episode_id,
        "protocol": protocol,
        "day": day,
        "kind": kind,
        "practitioner_id": practitioner_id,
        "ref": ref,
        "entered_at": tx.now,
    }
    key = insert_row(tx.connection, treatments, values)
    runs = _runs(tx, [episode_id])
    details = _codes(tx, runs, key, (patient_id, episode_id, protocol, day, kind, practitioner_id, ref))
    record(tx, "add", "treatment", key, clinic_id=clinic_id, patient_id=patient_id, details=details)
    return TreatmentRow(
        key, clinic_id, patient_id, episode_id, protocol, day, Kind(kind), practitioner_id, ref, tx.now, None, None
    )


def treatment_by_ref(tx: Transaction, clinic_id: int, ref: str) -> TreatmentRow | None:
    """Return the clinic's entry of that number, withdrawn or not."""
    return treatments_by_refs(tx, clinic_id, [ref]).get(ref)


def treatments_by_refs(tx: Transaction, clinic_id: int, refs: Iterable[str]) -> dict[str, TreatmentRow]:
    """Return those of the clinic's entries that have these numbers, by number."""
    found = {}
    for piece in pieces(refs):
        for row in tx.connection.execute(_BY_REFS, {"clinic": clinic_id, "asked": piece}):
            found[row.ref] = _entry(row)
    return found


def treatments_of(
    tx: Transaction, patient_ids: int | Iterable[int], *, include_withdrawn: bool = False
) -> list[TreatmentRow]:
    """Return the entries of one or several patients, by patient, day and id."""
    found = []
    for piece in pieces([patient_ids] if isinstance(patient_ids, int) else patient_ids):
        query = _OF_PATIENTS if include_withdrawn else _LIVE_OF_PATIENTS
        found += [_entry(row) for row in tx.connection.execute(query, {"asked": piece})]
    return sorted(found, key=lambda entry: (entry.patient_id, entry.day, entry.id))


def withdraw(tx: Transaction, treatment_id: int, replaced_by: int | None = None) -> bool:
    """Mark an entry as entered in error, corrected by another one or by none; False when it was marked already."""
    c = treatments.c
    change = update(treatments).where(c.id == treatment_id, c.withdrawn_at.is_(None))
    change = change.values(withdrawn_at=tx.now, replaced_by_id=replaced_by)
    row = tx.connection.execute(change.returning(c.clinic_id, c.patient_id)).first()
    if row is None:
        return False
    details = {"replaced_by": replaced_by} if replaced_by else None
    clinic_id, patient_id = row
    record(tx, "withdraw", "treatment", treatment_id, clinic_id=clinic_id, patient_id=patient_id, details=details)
    return True


def move_entries(tx: Transaction, leaving: int, staying: int) -> int:
    """Give the live entries of one episode to another that meets it on its day; return how many."""
    c = treatments.c
    change = update(treatments).where(c.episode_id == leaving, c.withdrawn_at.is_(None)).values(episode_id=staying)
    moved = tx.connection.execute(change.returning(c.id, c.clinic_id, c.patient_id, c.protocol, c.day, c.kind)).all()
    runs = _runs(tx, [staying])
    for treatment_id, clinic_id, patient_id, *what in moved:
        codes = _codes(tx, runs, treatment_id, (patient_id, staying, *what, None, None))
        details = {"episode": staying, **codes}
        record(tx, "move", "treatment", treatment_id, clinic_id=clinic_id, patient_id=patient_id, details=details)
    return len(moved)


def add_treatments(
    tx: Transaction, clinic_id: int, entries: Sequence[Entered], runs: Mapping[int, Run] | None = None
) -> list[int]:
    """Enter many visits of a clinic with one statement; return their ids in order.

    `runs` says of their episodes what the caller knows already.
    """
    names = ("patient_id", "episode_id", "protocol", "day", "kind", "practitioner_id", "ref")
    own = {"clinic_id": clinic_id, "entered_at": tx.now}
    rows = [own | dict(zip(names, entry, strict=True)) for entry in entries]
    keys = insert_rows(tx.connection, treatments, rows)
    runs = _runs(tx, [entry[1] for entry in entries]) if runs is None else runs
    told = ((key, entry[0], _codes(tx, runs, key, entry)) for key, entry in zip(keys, entries, strict=True))
    record_many(tx, [Event("add", "treatment", key, clinic_id, patient_id, code) for key, patient_id, code in told])
    return keys


def _codes(tx: Transaction, runs: Mapping[int, Run], key: int, entry: Entered) -> dict[str, str]:
    """Return what the trail holds of an entry: keyed codes, so that its row and its episode's do not change unseen."""
    _, episode_id, protocol, day, kind, _, _ = entry
    line, continues_id = runs[episode_id] if episode_id is not None else (None, None)
    code = treatment_code(tx.audit_key, key, protocol, day, kind)
    return {"code": code, "run": run_code(tx.audit_key, key, episode_id, line, continues_id)}


def _runs(tx: Transaction, episode_ids: Iterable[int | None]) -> dict[int, Run]:
    """Return the line of each of these episodes and the one that it continues, by id."""
    found: dict[int, Run] = {}
    for piece in pieces({key for key in episode_ids if key is not None}):
        rows = tx.connection.execute(_RUNS, {"asked": piece})
        found.update({key: (line, continues_id) for key, line, continues_id in rows})
    return found


def add_episode(
    tx: Transaction, clinic_id: int, patient_id: int, line: str, first_day: dt.date, continues_id: int | None = None
) -> int:
    """Begin a run of a line's clock and return its id; what was sent in `continues_id` counts as sent in it."""
    row = {"clinic_id": clinic_id, "patient_id": patient_id, "line": line, "first_day": first_day}
    ordinal = _next_ordinals(tx, [patient_id])[patient_id, line, first_day]
    more = {"ordinal": ordinal, "continues_id": continues_id, "created_at": tx.now}
    return insert_row(tx.connection, episodes, row | more)


def add_episodes(tx: Transaction, clinic_id: int, begun: Sequence[tuple[int, str, dt.date]]) -> list[int]:
    """Begin many runs, given by patient, line and day, with one statement; return their ids in order."""
    ordinals = _next_ordinals(tx, {patient_id for patient_id, _, _ in begun})
    rows = []
    for key in begun:
        patient_id, line, first_day = key
        row = {"clinic_id": clinic_id, "patient_id": patient_id, "line": line, "first_day": first_day}
        rows.append(row | {"ordinal": ordinals[key], "created_at": tx.now})
        ordinals[key] += 1
    return insert_rows(tx.connection, episodes, rows)


def episodes_of(tx: Transaction, patient_ids: int | Iterable[int]) -> list[EpisodeRow]:
    """Return the episodes of one or several patients, in the order they were begun."""
    found = []
    for piece in pieces([patient_ids] if isinstance(patient_ids, int) else patient_ids):
        found += [EpisodeRow(*row) for row in tx.connection.execute(_EPISODES, {"asked": piece})]
    return sorted(found, key=lambda episode: episode.id)


def _next_ordinals(tx: Transaction, patient_ids: Iterable[int]) -> defaultdict[tuple[int, str, dt.date], int]:
    """Return, by patient, line and day, the ordinal that is free; 0 where nothing was begun."""
    free: defaultdict[tuple[int, str, dt.date], int] = defaultdict(int)
    for piece in pieces(patient_ids):
        for patient_id, line, day, last in tx.connection.execute(_LAST_ORDINALS, {"asked": piece}):
            free[patient_id, line, day] = last + 1
    return free


def _entry(row: Iterable[object]) -> TreatmentRow:
    values = list(row)
    values[6] = Kind(str(values[6]))
    return TreatmentRow(*values)  # type: ignore[arg-type] # the columns stand in the order of the fields


def _last_ordinals() -> Select[Any]:
    c = episodes.c
    run = (c.patient_id, c.line, c.first_day)
    return select(*run, func.max(c.ordinal)).where(among(c.patient_id)).group_by(*run)


_BY_REFS = select(treatments).where(treatments.c.clinic_id == bindparam("clinic"), among(treatments.c.ref))
_OF_PATIENTS = select(treatments).where(among(treatments.c.patient_id))
_LIVE_OF_PATIENTS = _OF_PATIENTS.where(treatments.c.withdrawn_at.is_(None))
_RUNS = select(episodes.c.id, episodes.c.line, episodes.c.continues_id).where(among(episodes.c.id))
_EPISODES = select(*(episodes.c[name] for name in EpisodeRow.__slots__)).where(among(episodes.c.patient_id))
_LAST_ORDINALS = _last_ordinals()
"""Statements are made once: making one takes longer than running it."""
