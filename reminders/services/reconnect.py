"""Tries again what the database could not do at this moment, for as long as it makes sense to wait.

Invariant: who is tried again learns that it is not the first time, and looks up what became of the time before.
"""

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

from reminders.domain.backoff import pause
from reminders.errors import RemindersError
from reminders.services.envelope import Worker
from reminders.store.faults import CommitUnknown, DatabaseBusy, DatabaseUnreachable

T = TypeVar("T")
LOST = (DatabaseBusy, DatabaseUnreachable, CommitUnknown)
"""A server restarts, a connection breaks. A full disk is none of these: nobody waits for room in mid-message."""

_FIRST, _LONGEST = dt.timedelta(milliseconds=100), dt.timedelta(seconds=5)
PATIENCE_S = 60
"""How long a delivery waits for its database while a mail server waits for the delivery: longer than a restart takes,
shorter than any server's patience (RFC 5321, 4.5.3.2)."""


def patiently(
    worker: Worker,
    act: Callable[[bool], T],
    limit_s: float = PATIENCE_S,
    trouble: tuple[type[RemindersError], ...] = LOST,
) -> T:
    """Return what `act` returns; while the database is in `trouble`, wait and try again, for up to `limit_s` seconds.

    `act` is told whether something was tried before. Raises what the database said last.
    """
    time, failures = worker.patience.time, 0
    began, limit_s = time.monotonic(), min(limit_s, worker.patience.limit_s)
    while True:
        worker.beat()
        try:
            return act(failures > 0)
        except trouble:
            failures += 1
            if time.monotonic() - began >= limit_s:
                raise
        worker.patience.wait(pause(failures, worker.chance.random(), _FIRST, _LONGEST).total_seconds())
