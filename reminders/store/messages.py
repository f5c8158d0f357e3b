"""Messages as they are kept: their bytes, the Message-ID they have on every attempt, and the hashes of their links.

Invariant: a message that somebody may have received is never used again, and a Message-ID belongs to one message.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import exists, func, insert, not_, or_, select, update

from reminders.domain.lifecycle import COUNTS_AS_SENT, FINAL, State
from reminders.domain.protocol import TreatmentClass
from reminders.store.database import Transaction
from reminders.store.rows import insert_row, pieces
from reminders.store.schema import links, messages, reminders


class Versions(NamedTuple):
    """What a message was made with: the version of its templates, and that of the word lists it passed."""

    template: str
    check: str


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as kept: its bytes (None until first rendered) and the fingerprint of the facts they show."""

    id: int
    message_id: str
    fingerprint: str | None
    template_version: str | None
    content: bytes | None
    stage: str


def message_to_reuse(tx: Transaction, reminder_ids: Sequence[int]) -> StoredMessage | None:
    """Return the oldest message kept for these reminders that no reminder went out with, or None.

    The same Message-ID then goes on every attempt; a message that somebody may have received is never used again.
    """
    c = reminders.c
    gone = select(c.message_pk).where(c.message_pk.is_not(None), c.state.in_([*COUNTS_AS_SENT, State.HANDED_OVER]))
    mine = select(c.message_pk).where(c.id.in_(reminder_ids), c.message_pk.is_not(None))
    m = messages.c
    query = (
        select(m.id, m.message_id, m.fingerprint, m.template_version, m.content, m.stage)
        .where(m.id.in_(mine), m.id.not_in(gone.where(c.message_pk.in_(mine))))
        .order_by(m.id)
        .limit(1)
    )
    row = tx.connection.execute(query).first()
    return StoredMessage(*row) if row else None


def count_messages(tx: Transaction, patient_id: int) -> int:
    """Count the messages ever kept for a patient, which tells the next one's Message-ID from theirs."""
    query = select(func.count()).where(messages.c.patient_id == patient_id)
    return tx.connection.execute(query).scalar_one()


def add_message(
    tx: Transaction, clinic_id: int, patient_id: int, message_id: str, class_name: TreatmentClass, stage: str
) -> StoredMessage:
    """Keep a new message without bytes, under the Message-ID it will have on every attempt."""
    values = {
        "clinic_id": clinic_id,
        "patient_id": patient_id,
        "message_id": message_id,
        "class_name": class_name,
        "stage": stage,
        "created_at": tx.now,
    }
    key = insert_row(tx.connection, messages, values)
    return StoredMessage(key, message_id, None, None, None, stage)


def keep_bytes(
    tx: Transaction,
    message_pk: int,
    content: bytes,
    fingerprint: str,
    versions: Versions,
    stage: str,
    address_key: str,
) -> None:
    """Keep the bytes that are about to go on the wire, and what they show."""
    values = {
        "content": content,
        "fingerprint": fingerprint,
        "template_version": versions.template,
        "check_version": versions.check,
        "stage": stage,
        "address_key": address_key,
        "rendered_at": tx.now,
    }
    tx.connection.execute(update(messages).where(messages.c.id == message_pk).values(values))


def blank_content(tx: Transaction, message_pk: int, content: bytes) -> None:
    """Put bytes without tokens in place of those kept, which are then nobody's to send; what was erased stays so."""
    kept = (messages.c.id == message_pk, messages.c.content.is_not(None))
    tx.connection.execute(update(messages).where(*kept).values(content=content, fingerprint=None))


def spent(tx: Transaction, reminder_ids: Iterable[int]) -> list["SpentMessage"]:
    """Return the messages with working links, of these reminders' patients, that nothing more will be sent with.

    Those are the accepted ones, and those of which every reminder is over.
    """
    m, c = messages.c, reminders.c
    mine = c.message_pk == m.id
    accepted = exists().where(mine, c.state.in_([State.SENT, State.BOUNCED]))
    to_come = exists().where(mine, c.state.not_in(FINAL))
    found = []
    for piece in pieces(reminder_ids):
        owners = select(c.patient_id).where(c.id.in_(piece))
        query = select(m.id, m.content).where(
            m.patient_id.in_(owners), m.content.is_not(None), m.fingerprint.is_not(None), or_(accepted, not_(to_come))
        )
        found += [SpentMessage(*row) for row in tx.connection.execute(query.order_by(m.id))]
    return found


@dataclass(frozen=True, slots=True)
class SpentMessage:
    """A message that is over, with the bytes kept of it."""

    id: int
    content: bytes


def add_link(
    tx: Transaction,
    token_hash: str,
    message_pk: int,
    patient: tuple[int, int],
    purpose: str,
    class_name: TreatmentClass,
) -> None:
    """Keep the hash of a link's token, bound to its purpose, message, class and patient (clinic id, patient id)."""
    values = {
        "token_hash": token_hash,
        "clinic_id": patient[0],
        "patient_id": patient[1],
        "message_pk": message_pk,
        "purpose": purpose,
        "class_name": class_name,
        "created_at": tx.now,
    }
    tx.connection.execute(insert(links).values(values))


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A kept message's identity and bytes, and what it was made with; None before it was first rendered."""

    message_id: str
    content: bytes | None
    template_version: str | None
    check_version: str | None


def messages_of(tx: Transaction, patient_id: int) -> list[KeptMessage]:
    """Return the messages kept of a patient, oldest first."""
    m = messages.c
    query = (
        select(m.message_id, m.content, m.template_version, m.check_version)
        .where(m.patient_id == patient_id)
        .order_by(m.id)
    )
    return [KeptMessage(*row) for row in tx.connection.execute(query)]


def address_key_of(tx: Transaction, reminder_id: int) -> str | None:
    """Return the keyed hash of the address that a reminder's message went to."""
    joined = messages.join(reminders, reminders.c.message_pk == messages.c.id)
    query = select(messages.c.address_key).select_from(joined).where(reminders.c.id == reminder_id)
    return tx.connection.execute(query).scalar_one_or_none()
