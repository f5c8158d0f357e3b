"""Finds what the link of a message stands for, by the hash of its token and its purpose.

Invariant: one query, the same for a token that works, that never was, that is too old and that was erased; so none of
them can be told from another by what the database does.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import and_, select

from reminders.domain.protocol import TreatmentClass
from reminders.store.database import Transaction
from reminders.store.schema import clinics, episodes, links, messages, patients, reminders

REQUEST, STOP = "request", "stop"


@dataclass(frozen=True, slots=True)
class Link:
    """What a working link stands for: whose message, of which class, and the key of the address it went to."""

    clinic_id: int
    patient_id: int
    message_pk: int
    class_name: TreatmentClass
    address_key: str | None


def find_link(tx: Transaction, token_hash: str, purpose: str, made_after: dt.datetime) -> Link | None:
    """Return what the link of that token stands for; None unless it has this purpose and is not older than that."""
    c = links.c
    query = (
        select(c.clinic_id, c.patient_id, c.message_pk, c.class_name, messages.c.address_key)
        .select_from(links)
        .join(messages, and_(messages.c.id == c.message_pk, messages.c.patient_id == c.patient_id))
        .join(patients, and_(patients.c.id == c.patient_id, patients.c.clinic_id == c.clinic_id))
        .join(clinics, clinics.c.id == c.clinic_id)
        .where(c.token_hash == token_hash, c.purpose == purpose, c.created_at >= made_after)
        .where(patients.c.erased_at.is_(None))
    )
    row = tx.connection.execute(query).first()
    if row is None:
        return None
    return Link(row.clinic_id, row.patient_id, row.message_pk, TreatmentClass(row.class_name), row.address_key)


def lines_of(tx: Transaction, message_pk: int) -> dict[int, str]:
    """Return the lines of the episodes that a message was about, by the episode's id."""
    c = reminders.c
    query = (
        select(episodes.c.id, episodes.c.line)
        .join_from(reminders, episodes, and_(episodes.c.id == c.episode_id, episodes.c.patient_id == c.patient_id))
        .where(c.message_pk == message_pk)
        .distinct()
    )
    return {row.id: row.line for row in tx.connection.execute(query)}
