"""Messages as they are kept: their bytes, the Message-ID they have on every attempt, and the hashes of their links.

Invariant: a message that somebody may have received is never used again, and a Message-ID belongs to one message.
"""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, bindparam, exists, func, not_, or_, select, update

from reminders.domain.lifecycle import COUNTS_AS_SENT, FINAL, State
from reminders.domain.protocol import TreatmentClass
from reminders.store import patterns
from reminders.store.database import Transaction
from reminders.store.faults import DamagedRow
from reminders.store.rows import add_rows, insert_rows, pieces
from reminders.store.schema import links, messages, reminders


class Versions(NamedTuple):
    """What a message was made with: the version of its templates, and that of the word lists it passed."""

    template: str
    check: str


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as kept: its bytes (None until first rendered) and the fingerprint of the facts they show.

    `pattern` is what the bytes are kept against.
    """

    id: int
    message_id: str
    fingerprint: str | None
    template_version: str | None
    content: bytes | None
    stage: str
    pattern: bytes | None = None


def message_to_reuse(tx: Transaction, reminder_ids: Sequence[int]) -> StoredMessage | None:
    """Return the oldest message kept for these reminders that no reminder went out with, or None.

    The same Message-ID then goes on every attempt; a message that somebody may have received is never used again.
    Raises `DamagedRow`.
    """
    c = reminders.c
    gone = select(c.message_pk).where(c.message_pk.is_not(None), c.state.in_([*COUNTS_AS_SENT, State.HANDED_OVER]))
    mine = select(c.message_pk).where(c.id.in_(reminder_ids), c.message_pk.is_not(None))
    m = messages.c
    query = (
        select(m.id, m.message_id, m.fingerprint, m.template_version, m.stage, *patterns.COLUMNS)
        .where(m.id.in_(mine), m.id.not_in(gone.where(c.message_pk.in_(mine))))
        .order_by(m.id)
        .limit(1)
    )
    row = tx.connection.execute(query).first()
    if row is None:
        return None
    content, pattern = patterns.read(tx, *row[5:]) if row.content is not None else (None, None)
    return StoredMessage(row.id, row.message_id, row.fingerprint, row.template_version, content, row.stage, pattern)


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
    begun = zip(keys, new, strict=True)
    return [StoredMessage(key, one.message_id, None, None, None, one.stage) for key, one in begun]


@dataclass(frozen=True, slots=True)
class Kept:
    """The bytes that are about to go on the wire, and what they show; `address_key` tells whose address it was.

    They are kept against the `pattern` that they share with others, if they have one.
    """

    message_pk: int
    content: bytes
    pattern: bytes | None
    fingerprint: str
    versions: Versions
    stage: str
    address_key: str


def keep_bytes(tx: Transaction, kept: Sequence[Kept]) -> None:
    """Keep the bytes of some messages."""
    rows = [
        _packed(tx, one.content, one.pattern)
        | {
            "key": one.message_pk,
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


@dataclass(frozen=True, slots=True)
class Blanked:
    """A message's bytes without its tokens, and the pattern to keep them against."""

    message_pk: int
    content: bytes
    pattern: bytes | None


def blank_contents(tx: Transaction, blanked: Sequence[Blanked]) -> None:
    """Put bytes without tokens in place of those kept, which are then nobody's to send; what was erased stays so."""
    rows = [_packed(tx, one.content, one.pattern) | {"key": one.message_pk} for one in blanked]
    if rows:
        tx.connection.execute(_BLANK, rows)


def _packed(tx: Transaction, content: bytes, pattern: bytes | None) -> dict[str, object]:
    return {f"the_{name}": value for name, value in patterns.packed(tx, content, pattern).items()}


_PACKED: dict[str, BindParameter[Any]] = {
    name: bindparam(f"the_{name}") for name in ("content", "packed", "pattern_id")
}
_KEEP = (
    update(messages)
    .where(messages.c.id == bindparam("key"))
    .values(
        **_PACKED,
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
    .values(**_PACKED, fingerprint=None)
)


def spent(tx: Transaction, reminder_ids: Iterable[int]) -> list["SpentMessage"]:
    """Return the messages with working links, of these reminders' patients, that nothing more will be sent with.

    Those are the accepted ones, and those of which every reminder is over. Bytes that cannot be read hold no link
    that anybody could open, and are left.
    """
    m, c = messages.c, reminders.c
    mine = c.message_pk == m.id
    accepted = exists().where(mine, c.state.in_([State.SENT, State.BOUNCED]))
    to_come = exists().where(mine, c.state.not_in(FINAL))
    found = []
    for piece in pieces(reminder_ids):
        owners = select(c.patient_id).where(c.id.in_(piece))
        query = select(m.id, *patterns.COLUMNS).where(
            m.patient_id.in_(owners), m.content.is_not(None), m.fingerprint.is_not(None), or_(accepted, not_(to_come))
        )
        for key, *kept in tx.connection.execute(query.order_by(m.id)).all():
            with suppress(DamagedRow):
                found.append(SpentMessage(key, *patterns.read(tx, *kept)))
    return found


@dataclass(frozen=True, slots=True)
class SpentMessage:
    """A message that is over, with the bytes kept of it and what they are kept against."""

    id: int
    content: bytes
    pattern: bytes | None


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
    """Return the messages kept of a patient, oldest first. Raises `DamagedRow`."""
    m = messages.c
    query = (
        select(m.message_id, m.template_version, m.check_version, *patterns.COLUMNS)
        .where(m.patient_id == patient_id)
        .order_by(m.id)
    )
    return [
        KeptMessage(name, patterns.read(tx, *kept).content if kept[0] is not None else None, template, check)
        for name, template, check, *kept in tx.connection.execute(query).all()
    ]


def address_key_of(tx: Transaction, reminder_id: int) -> str | None:
    """Return the keyed hash of the address that a reminder's message went to."""
    joined = messages.join(reminders, reminders.c.message_pk == messages.c.id)
    query = select(messages.c.address_key).select_from(joined).where(reminders.c.id == reminder_id)
    return tx.connection.execute(query).scalar_one_or_none()
