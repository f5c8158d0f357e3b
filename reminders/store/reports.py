"""Questions over whole tables: who is treated under a protocol, what contradicts itself, where personal data stands.

Invariant: every answer is short or read in pieces, whatever the size of the tables, and none names a person.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import JSON, ColumnElement, Select, String, Table, and_, cast, func, literal, or_, select

from reminders.domain.lifecycle import State
from reminders.store import schema
from reminders.store.columns import metadata
from reminders.store.database import Transaction
from reminders.store.rows import pieces

SHOWN = 100
"""How many rows of one kind of contradiction are returned; one is as bad as a thousand."""

_ADDRESS = re.compile(r"[^\s\"'<>(),;:\[\]{}]+@[^\s\"'<>(),;:\[\]{}]+")
_OWN_DATA = frozenset({"patients", "messages", "clinics", "locations"})
_PERSONAL = (
    *("given_name", "family_name", "known_as", "email", "phone", "postal_address", "language", "birth_date"),
    *("representative_email", "address_key", "notes"),
)
"""The columns of a patient that an erasure empties."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A row that refers to another clinic's or another patient's row, or to none."""

    table: str
    row_id: int | str
    clinic_id: int
    refers_to: str


def protocols_in_use(tx: Transaction, codes: Collection[str]) -> frozenset[str]:
    """Return those of the codes under which a treatment is recorded that was not withdrawn."""
    c = schema.treatments.c
    found = set[str]()
    for piece in pieces(codes):
        query = select(c.protocol).where(c.protocol.in_(piece), c.withdrawn_at.is_(None)).distinct()
        found.update(tx.connection.execute(query).scalars())
    return frozenset(found)


def patients_with_protocols(
    tx: Transaction, clinic_id: int, codes: Collection[str], after_id: int, limit: int
) -> list[int]:
    """Return the clinic's next patients behind `after_id`, by id, who have a live treatment under one of the codes."""
    c = schema.treatments.c
    mine = and_(c.clinic_id == clinic_id, c.patient_id > after_id, c.protocol.in_(codes), c.withdrawn_at.is_(None))
    query = select(c.patient_id).where(mine).distinct().order_by(c.patient_id).limit(limit)
    return list(tx.connection.execute(query).scalars())


def crossings(tx: Transaction) -> list[Crossing]:
    """Return what refers across clinics or patients, or to nothing (promise 5); the constraints let none of it in."""
    found: list[Crossing] = []
    for table in _bound_to_patients():
        found += _astray(tx, table, "patient_id", schema.patients, within_patient=False)
    for table, column, target in (
        (schema.reminders, "episode_id", schema.episodes),
        (schema.reminders, "treatment_id", schema.treatments),
        (schema.reminders, "message_pk", schema.messages),
        (schema.treatments, "episode_id", schema.episodes),
        (schema.links, "message_pk", schema.messages),
    ):
        found += _astray(tx, table, column, target, within_patient=True)
    for table, column, target in (
        (schema.treatments, "practitioner_id", schema.practitioners),
        (schema.patients, "practitioner_id", schema.practitioners),
        (schema.patients, "location_id", schema.locations),
    ):
        found += _astray(tx, table, column, target, within_patient=False)
    return found


def repeated_identities(tx: Transaction) -> list[int]:
    """Return ids of reminders that share their identity with an older one (promise 1); the constraint lets none in."""
    c = schema.reminders.c
    identity = (c.clinic_id, c.patient_id, c.episode_id, c.step, c.copy)
    query = select(func.max(c.id)).group_by(*identity).having(func.count() > 1).limit(SHOWN)
    return list(tx.connection.execute(query).scalars())


def repeated_message_ids(tx: Transaction) -> int:
    """Count the Message-IDs that stand on more than one message (promise 1)."""
    c = schema.messages.c
    twice = select(c.message_id).group_by(c.message_id).having(func.count() > 1).subquery()
    return tx.connection.execute(select(func.count()).select_from(twice)).scalar_one()


def addresses_astray(tx: Transaction) -> list[tuple[str, str, int]]:
    """Return (table, column, patients) where patients' e-mail addresses stand outside `patients` and `messages`.

    A clinic's own details are not looked at: whoever works there may be a patient too.
    """
    return [
        (table.name, column, count)
        for table in metadata.sorted_tables
        if table.name not in _OWN_DATA
        for column, count in _addresses_in(tx, table).items()
    ]


def badly_erased(tx: Transaction) -> Iterator[tuple[int, str]]:
    """Yield (patient id, what is left) for erased patients of whom something is left (promise 10)."""
    c, kept, given, links = schema.patients.c, schema.messages.c, schema.treatments.c, schema.links.c
    erased = c.erased_at.is_not(None)
    for name in _PERSONAL:
        yield from _left(tx, select(c.id).where(erased, c[name].is_not(None)), f"the column {name}")
    spelled = c.ref != literal("erased-") + cast(c.id, String)
    yield from _left(tx, select(c.id).where(erased, spelled), "the ref")
    for condition, what in (
        (select(kept.patient_id).where(or_(kept.content.is_not(None), kept.address_key.is_not(None))), "a message"),
        (select(given.patient_id).where(given.ref.is_not(None)), "a treatment's ref"),
        (select(links.patient_id), "a link"),
    ):
        yield from _left(tx, select(c.id).where(erased, c.id.in_(condition)), what)


def _left(tx: Transaction, query: Select[int], what: str) -> Iterator[tuple[int, str]]:
    for patient_id in tx.connection.execute(query.limit(SHOWN)).scalars():
        yield patient_id, what


def _bound_to_patients() -> Iterator[Table]:
    yield from (table for table in metadata.sorted_tables if "patient_id" in table.c and table.name != "audit")


def _astray(tx: Transaction, table: Table, column: str, target: Table, *, within_patient: bool) -> Iterable[Crossing]:
    key, there = next(iter(table.primary_key)), target.alias("there")
    wrong: list[ColumnElement[bool]] = [there.c.id.is_(None), there.c.clinic_id != table.c.clinic_id]
    if within_patient:
        wrong.append(there.c.patient_id != table.c.patient_id)
    query = (
        select(key, table.c.clinic_id)
        .select_from(table.outerjoin(there, there.c.id == table.c[column]))
        .where(table.c[column].is_not(None), or_(*wrong))
        .order_by(key)
        .limit(SHOWN)
    )
    for row_id, clinic_id in tx.connection.execute(query):
        yield Crossing(table.name, row_id if isinstance(row_id, int) else "?", clinic_id, target.name)


def _addresses_in(tx: Transaction, table: Table) -> Counter[str]:
    """Count by column of text the patients whose address stands there; the table is read once."""
    words = [cast(one, String).label(one.name) for one in table.columns if isinstance(one.type, String | JSON)]
    found = Counter[str]()
    if not words:
        return found
    query = select(*words).where(or_(*(word.element.like("%@%") for word in words)))
    for piece in pieces(tx.connection.execute(query.execution_options(yield_per=1000))):
        for number, word in enumerate(words):
            there = {one.lower() for row in piece for one in _ADDRESS.findall(row[number] or "")}
            found[word.name] += _known(tx, there)
    return +found


def _known(tx: Transaction, addresses: Collection[str]) -> int:
    c = schema.patients.c
    count = 0
    for piece in pieces(addresses, 400):
        theirs = or_(func.lower(c.email).in_(piece), func.lower(c.representative_email).in_(piece))
        count += tx.connection.execute(select(func.count()).select_from(schema.patients).where(theirs)).scalar_one()
    return count


def last_planned(tx: Transaction) -> dict[int, dt.datetime]:
    """Return, by clinic, when something that checks the backlog rule in its own transaction last changed its plan.

    A delivery plans single patients as it goes; it checked the rule when it began.
    """
    c = schema.audit.c
    query = select(c.clinic_id, func.max(c.at)).where(c.action == "plan", c.actor != "deliver").group_by(c.clinic_id)
    return {clinic_id: at for clinic_id, at in tx.connection.execute(query) if clinic_id is not None}


def left_overdue(tx: Transaction, clinic_id: int, before: dt.datetime, since: dt.datetime) -> int:
    """Count what was overdue when the backlog rule was checked at `since`, and is planned and untouched to this day."""
    c = schema.reminders.c
    query = select(func.count()).where(
        c.clinic_id == clinic_id,
        c.state == State.PLANNED,
        c.due_at < before,
        c.not_after > since,
        c.released_at.is_(None),
        c.left_by_limit.is_(False),
        c.updated_at <= since,
    )
    return tx.connection.execute(query).scalar_one()


def patients_gone(tx: Transaction) -> list[tuple[int, int | None]]:
    """Return (patient id, clinic id) of those of whom the trail tells, and whose row is gone; the shown ones only."""
    c = schema.audit.c
    there = schema.patients.c.id
    gone = select(c.patient_id, func.min(c.clinic_id)).outerjoin(schema.patients, there == c.patient_id)
    gone = gone.where(c.patient_id.is_not(None), there.is_(None)).group_by(c.patient_id).limit(SHOWN)
    return [(patient_id, clinic_id) for patient_id, clinic_id in tx.connection.execute(gone)]


def clinics_gone(tx: Transaction) -> list[int]:
    """Return the ids of the clinics that were added, and whose row is gone."""
    c, there = schema.audit.c, schema.clinics.c.id
    gone = select(c.subject_id).outerjoin(schema.clinics, there == c.subject_id)
    gone = gone.where(c.subject == "clinic", c.action == "add", there.is_(None)).limit(SHOWN)
    return [number for number in tx.connection.execute(gone).scalars() if number is not None]


def is_without_places(tx: Transaction) -> bool:
    """Tell whether deliveries ran here, and no place is known that they ran from."""
    home = select(schema.installation.c.home).where(schema.installation.c.home.is_not(None))
    places = select(schema.places.c.id).limit(1)
    return tx.connection.execute(home).first() is not None and tx.connection.execute(places).first() is None


def suppressions(tx: Transaction) -> Iterator[tuple[int, str, str, str, dt.datetime]]:
    """Yield clinic, keyed hash, scope, reason and moment of every suppressed address, whatever stands there."""
    c = schema.suppressions.c
    query = select(c.clinic_id, c.address_key, c.scope, c.reason, c.at).execution_options(yield_per=1000)
    yield from tx.connection.execute(query)


def count_states(tx: Transaction) -> dict[str, int]:
    """Count the reminders by state, whatever stands there."""
    c = schema.reminders.c
    query = select(cast(c.state, String), func.count()).group_by(cast(c.state, String))
    return {str(state): count for state, count in tx.connection.execute(query)}


def last_entry(tx: Transaction) -> int:
    """Return the number of the last entry of the audit trail, 0 where there is none."""
    return tx.connection.execute(select(func.max(schema.audit.c.id))).scalar() or 0


def clinic_of_patient(tx: Transaction, patient_id: int) -> int:
    """Return the clinic of a patient."""
    query = select(schema.patients.c.clinic_id).where(schema.patients.c.id == patient_id)
    return int(tx.connection.execute(query).scalar_one())


def newest_entry(tx: Transaction) -> dt.datetime | None:
    """Return the moment of the newest entry of the audit trail."""
    c = schema.audit.c
    return tx.connection.execute(select(c.at).order_by(c.id.desc()).limit(1)).scalar()


def journal_mode(tx: Transaction) -> str | None:
    """Return SQLite's journal mode; None on PostgreSQL, which has its own."""
    if tx.connection.dialect.name != "sqlite":
        return None
    return str(tx.connection.exec_driver_sql("PRAGMA journal_mode").scalar())
