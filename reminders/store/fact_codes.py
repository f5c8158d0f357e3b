"""Keyed codes by which the trail holds the days and lines of a fact, so that a row changed past the product shows.

Invariant: a code tells nothing without the audit's key, and is another one for every row; the days themselves are not
on the trail, which outlives an erasure.
"""

import datetime as dt
import json
from collections.abc import Iterable
from functools import lru_cache

from reminders.store.audit_trail import sign

_LENGTH = 32


def treatment_code(key: bytes, treatment_id: int, protocol: str, day: dt.date, kind: str) -> str:
    """Return the code of what was done when: it never changes."""
    return _code(key, "treatment", treatment_id, protocol, day.isoformat(), str(kind))


def run_code(key: bytes, treatment_id: int, episode_id: int | None, line: str | None, continues_id: int | None) -> str:
    """Return the code of a treatment's episode (None: it has none), of its line, and of the one that it continues."""
    return _code(key, "run", treatment_id, episode_id, line, continues_id)


def appointment_code(key: bytes, appointment_id: int, line: str, day: dt.date) -> str:
    """Return the code of an appointment: its line ("" for every line) and its day."""
    return _code(key, "appointment", appointment_id, line, day.isoformat())


def answer_code(
    key: bytes,
    answer_id: int,
    kind: str,
    lines: Iterable[str] | None,
    day: dt.date | None,
    message_pk: int | None,
) -> str:
    """Return the code of an answer: its kind, its lines (None: every line), its day, and the message it answers."""
    told = None if lines is None else tuple(sorted(lines))
    return _code(key, "answer", answer_id, str(kind), told, day.isoformat() if day else None, message_pk)


def suppression_code(key: bytes, clinic_id: int, address_key: str, scope: str, reason: str) -> str:
    """Return the code of an address, known by its keyed hash, that a clinic must not write to."""
    return _code(key, "suppression", clinic_id, address_key, scope, str(reason))


def _code(key: bytes, purpose: str, *parts: object) -> str:
    return sign(key, purpose, f"[{', '.join(map(_told, parts))}]")[:_LENGTH]


def _told(part: object) -> str:
    """Return a part as JSON has it: these are codes and lines, of which there are few, and numbers."""
    return str(part) if type(part) is int else _quoted(part)


@lru_cache(maxsize=8192, typed=True)
def _quoted(part: object) -> str:
    return json.dumps(part)
