"""Messages as they are kept: their bytes, the Message-ID they have on every attempt, and the hashes of their links.

Invariant: a message that somebody may have received is never used again, and a Message-ID belongs to one message.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import bindparam, exists, func, not_, or_, select, update

from reminders.domain.lifecycle import COUNTS_AS_SENT, FINAL, State
from reminders.domain.protocol import TreatmentClass
from reminders.store.database import Transaction
from reminders.store.rows import add_rows, insert_rows, pieces
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


def count_messages(tx: Transaction, patient_ids: Collection[int]) -> dict[int, int]:
    """Count the messages ever kept for each of these patients, which tells the next one's Message-ID from theirs."""
    m = messages.c
    query = select(m.patient_id, func.count()).where(m.patient_id.in_(patient_ids)).group_by(m.patient_id)
    return dict.fromkeys(patient_ids, 0) | dict(tx.connection.execute(query).all())


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message that begins: whose it is, and the Message-ID it will have on every attempt."""

    clinic_id: int
    patient_id: int
    message_id: str
    class_name: TreatmentClass
    stage: str


def add_messages(tx: Transaction, new: Sequence[NewMessage]) -> list[StoredMessage]:
    """Keep new messages without bytes; return them in the same order."""
    rows = [
        {
            "clinic_id": one.clinic_id,
            "patient_id": one.patient_id,
            "message_id": one.message_id,
            "class_name": one.class_name,
            "stage": one.stage,
            "created_at": tx.now,
        }
        for one in new
    ]
    keys = insert_rows(tx.connection, messages, rows)
    return [StoredMessage(key, one.message_id, None, None, None, one.stage) for key, one in zip(keys, new, strict=True)]


@dataclass(frozen=True, slots=True)
class Kept:
    """The bytes that are about to go on the wire, and what they show; `address_key` tells whose address it was."""

    message_pk: int
    content: bytes
    fingerprint: str
    versions: Versions
    stage: str
    address_key: str


def keep_bytes(tx: Transaction, kept: Sequence[Kept]) -> None:
    """Keep the bytes of some messages."""
    rows = [
        {
            "key": one.message_pk,
            "the_content": one.content,
            "shown": one.fingerprint,
            "template": one.versions.template,
            "check": one.versions.check,
            "the_stage": one.stage,
            "address": one.address_key,
            "now": tx.now,
        }
        for one in kept
    ]
    if rows:
        tx.connection.execute(_KEEP, rows)


def blank_contents(tx: Transaction, blanked: Sequence[tuple[int, bytes]]) -> None:
    """Put bytes without tokens in place of those kept, which are then nobody's to send; what was erased stays so.

    `blanked` are the messages' keys with their bytes.
    """
    if blanked:
        tx.connection.execute(_BLANK, [{"key": key, "blanked": content} for key, content in blanked])


_KEEP = (
    update(messages)
    .where(messages.c.id == bindparam("key"))
    .values(
        content=bindparam("the_content"),
        fingerprint=bindparam("shown"),
        template_version=bindparam("template"),
        check_version=bindparam("check"),
        stage=bindparam("the_stage"),
        address_key=bindparam("address"),
        rendered_at=bindparam("now"),
    )
)
_BLANK = (
    update(messages)
    .where(messages.c.id == bindparam("key"), messages.c.content.is_not(None))
    .values(content=bindparam("blanked"), fingerprint=None)
)


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


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link's token, hashed, and what it is bound to."""

    token_hash: str
    clinic_id: int
    patient_id: int
    message_pk: int
    purpose: str
    class_name: TreatmentClass


def add_links(tx: Transaction, new: Sequence[NewLink]) -> None:
    """Keep the hashes of links' tokens, each bound to its purpose, message, class and patient."""
    rows = [
        {
            "token_hash": one.token_hash,
            "clinic_id": one.clinic_id,
            "patient_id": one.patient_id,
            "message_pk": one.message_pk,
            "purpose": one.purpose,
            "class_name": one.class_name,
            "created_at": tx.now,
        }
        for one in new
    ]
    if rows:
        add_rows(tx.connection, links, rows)


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
