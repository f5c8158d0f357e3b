"""Cuts what is due into batches of patients, one of each clinic in turn, for several machines to share.

Invariant: a batch is a list of whom to look at and no more: whoever works on it looks every fact up again
(`deliver_batch`), so that one which comes twice, late or never does no harm. What is due stays so until it is sent.
"""

import math
from collections import deque
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Protocol

from reminders.domain.sending_hours import is_open, local_day, moment
from reminders.services.calendar import sending_calendar
from reminders.services.choose import Visit
from reminders.services.find import clinic_of
from reminders.services.rounds import Worker
from reminders.store import queue
from reminders.store.apart import ODD_DATA, apart
from reminders.store.database import Transaction

AHEAD = 4000
"""So many patients wait in batches at most: what falls due at another clinic stands behind no more than these."""
MOST, LEAST, PARTS = 500, 25, 16
"""The sizes of a batch, and how many there are to be of them where little is due, so that every machine gets some."""


class Quota(Protocol):
    """What the ways of clinics take, and who cannot be written to just now."""

    def takes(self, clinic_id: int) -> bool:
        """Tell whether one patient more of a clinic is taken."""
        ...

    def reachable(self, tx: Transaction, clinic_id: int, asked: Iterable[int]) -> Iterator[int]:
        """Yield these patients of a clinic but for those whom there is no sense in looking at now."""
        ...


class NoQuota:
    """Everybody is taken."""

    def takes(self, _clinic_id: int) -> bool:
        """Say yes."""
        return True

    def reachable(self, _tx: Transaction, _clinic_id: int, asked: Iterable[int]) -> Iterator[int]:
        """Yield all of them."""
        return iter(asked)


def batches(
    worker: Worker, leaving_out: Container[int] = frozenset(), most: int = AHEAD, quota: Quota | None = None
) -> Iterator[list[Visit]]:
    """Yield what is due in the clinics that send now, `most` patients in all, one of each clinic in turn.

    Within a clinic whose window closes first comes first. `leaving_out` are patients who wait in a batch already; a
    clinic is left as soon as `quota` takes no more.
    """
    found = list(islice(_in_turn(worker, leaving_out, most, quota or NoQuota()), most))
    size = min(MOST, max(LEAST, math.ceil(len(found) / PARTS)))
    for first in range(0, len(found), size):
        yield found[first : first + size]


def _in_turn(worker: Worker, leaving_out: Container[int], most: int, quota: Quota) -> Iterator[Visit]:
    with worker.database.read(worker.clock.now()) as tx:
        clinic_ids = queue.clinics_with_due(tx)
    turns = deque((clinic_id, _of_clinic(worker, clinic_id, leaving_out, most, quota)) for clinic_id in clinic_ids)
    while turns:
        clinic_id, left = turns.popleft()
        patient_id = next(left, None) if quota.takes(clinic_id) else None
        if patient_id is not None:
            yield clinic_id, patient_id
            turns.append((clinic_id, left))


def _of_clinic(worker: Worker, clinic_id: int, leaving_out: Container[int], most: int, quota: Quota) -> Iterator[int]:
    """Yield the clinic's due patients; none while it does not send, or where its rows cannot be read."""
    found: list[int] = []
    with worker.database.read(worker.clock.now()) as tx, suppress(*ODD_DATA), apart(tx):
        waiting = (one for one in _waiting(tx, clinic_id) if one not in leaving_out)
        found = list(islice(quota.reachable(tx, clinic_id, waiting), min(most, _room(tx, clinic_id))))
    yield from found


def _waiting(tx: Transaction, clinic_id: int) -> Iterator[int]:
    page = queue.due_patients(tx, clinic_id)
    while page.last is not None:
        yield from page.patients
        page = queue.due_patients(tx, clinic_id, page.last)


def _room(tx: Transaction, clinic_id: int) -> int:
    """Return how many patients of a clinic make sense now.

    One more than its daily limit lets go: whoever looks at that one marks the others as left by the limit.
    """
    clinic = clinic_of(tx, clinic_id)
    if clinic.paused_at is not None or not is_open(sending_calendar(clinic, tx.now), tx.now):
        return 0
    if clinic.daily_limit is None:
        return AHEAD
    today = moment(clinic.timezone, local_day(clinic.timezone, tx.now))
    return max(clinic.daily_limit - queue.messages_since(tx, clinic.id, today), 0) + 1
