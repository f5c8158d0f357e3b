"""Does again, for as long as it takes, what must not be lost: the record of what a server answered.

Invariant: nothing is done twice at once, and what was counted in a try that was undone is not counted.
"""

import datetime as dt
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from reminders.clock import Monotonic, SystemMonotonic
from reminders.domain.backoff import pause
from reminders.errors import RemindersError
from reminders.store.apart import ODD_DATA
from reminders.store.faults import CommitUnknown, EntryRefused

LONGEST_S = 15 * 60
_FIRST, _LONGEST = dt.timedelta(milliseconds=200), dt.timedelta(seconds=10)


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)


@dataclass(frozen=True, slots=True)
class Patience:
    """How the time between two tries is spent and measured; `wait` takes seconds."""

    time: Monotonic = field(default_factory=SystemMonotonic)
    wait: Callable[[float], object] = _wait
    limit_s: float = LONGEST_S


def insist(
    act: Callable[[], None], counts: Counter[str], patience: Patience, chance: random.Random, beat: Callable[[], None]
) -> None:
    """Do `act`, a transaction, until the database takes it; after `patience.limit_s` raise what it said last.

    A commit whose answer was lost may have been kept: the next try then finds nothing left to do and counts nothing,
    so the larger of the two counts is the right one. `beat` is called at every try. What no waiting mends (a refused
    entry, a damaged row, a mistake of the program's own) is raised at once.
    """
    before, most = Counter(counts), Counter(counts)
    began, failures = patience.time.monotonic(), 0
    while True:
        beat()
        try:
            act()
        except Exception as error:
            if isinstance(error, CommitUnknown):
                most |= counts
            counts.clear()
            counts.update(before)
            failures += 1
            if isinstance(error, (EntryRefused, *ODD_DATA)) or not isinstance(error, RemindersError):
                raise
            if patience.time.monotonic() - began >= patience.limit_s:
                raise
            patience.wait(pause(failures, chance.random(), _FIRST, _LONGEST).total_seconds())
        else:
            counts |= most
            return
