"""Drops what is kept no longer: the bytes of messages that are over, links that have run out, clocks long stopped.

Invariant: the row of a message, its Message-ID and the key of its address stay, for they say what was sent; what may
still be sent, and what is in doubt, keeps its bytes.
"""

import datetime as dt

from sqlalchemy import and_, delete, exists, or_, select, update

from reminders.domain.lifecycle import FINAL, State
from reminders.store.database import Transaction
from reminders.store.schema import audit, links, messages, reminders

WHOLE, PART = "tidy", "tidy_part"
"""What the trail calls a run that came to its end, and one that was cut short."""

_ENDED = frozenset({State.CANCELLED, State.FAILED})
"""States that are not final by themselves, but never go on once the reminder's days have long passed."""


def drop_bytes(tx: Transaction, before: dt.datetime, limit: int) -> int:
    """Drop the bytes of at most `limit` messages rendered before that moment and over since; return how many."""
    m, c = messages.c, reminders.c
    over = or_(c.state.in_(FINAL), and_(c.state.in_(_ENDED), c.not_after < before))
    to_come = exists().where(c.message_pk == m.id, ~over)
    oldest = select(m.id).where(m.content.is_not(None), m.rendered_at < before, ~to_come).order_by(m.id).limit(limit)
    change = update(messages).where(m.id.in_(oldest)).values(content=None, fingerprint=None)
    return tx.connection.execute(change).rowcount


def drop_links(tx: Transaction, purpose: str, before: dt.datetime, limit: int) -> int:
    """Drop at most `limit` links of a purpose that were made before that moment; return how many."""
    c = links.c
    oldest = select(c.token_hash).where(c.purpose == purpose, c.created_at < before).limit(limit)
    return tx.connection.execute(delete(links).where(c.token_hash.in_(oldest))).rowcount


def last_ends(tx: Transaction, after: dt.datetime, count: int) -> list[dt.datetime]:
    """Return when the newest runs that came to their end after a moment did, the latest first; `count` at most."""
    c = audit.c
    of_it = (c.subject == "installation", c.subject_id == 1, c.action == WHOLE, c.at > after, c.at <= tx.now)
    return list(tx.connection.execute(select(c.at).where(*of_it).order_by(c.at.desc()).limit(count)).scalars())


def ended_since(tx: Transaction, moment: dt.datetime) -> bool:
    """Tell whether a run came to its end at that moment or later; what lies ahead of now was said by a wrong clock."""
    c = audit.c
    of_it = (c.subject == "installation", c.subject_id == 1, c.action == WHOLE, c.at.between(moment, tx.now))
    return tx.connection.execute(select(c.id).where(*of_it).limit(1)).first() is not None
