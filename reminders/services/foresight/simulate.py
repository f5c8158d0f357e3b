"""Says who would receive what on which day if nothing changed, by letting the time pass on a copy of the clinic.

1. Copy the clinic without its patients' names into a private file (`store.clinic_copy`). 2. Plan it. 3. Deliver, go to
the next moment at which a delivery has something to do, deliver again, to the last day. 4. Read what went out. The
plan, the merging, the distances, hours, limits and holds are the real ones: it is their code that runs.

Invariant: the installation's own database is read once and never written; the copy is deleted whatever happens, unless
the process is killed, and then holds numbers only.
"""

import datetime as dt
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import cast

from reminders.clock import Clock
from reminders.domain.lifecycle import Reason, State
from reminders.domain.sending_hours import end_of_day, local_day
from reminders.mail.render import Renderer
from reminders.services.breaker import Breakers
from reminders.services.deliver import deliver
from reminders.services.find import the_clinic
from reminders.services.foresight.rehearsal import Nowhere, OncePerKind, SetClock
from reminders.services.guarding.lock import Because, lock_state, suspected
from reminders.services.keys import Keys
from reminders.services.plan import plan_clinic
from reminders.services.points import nobody
from reminders.services.rounds import Worker
from reminders.store import reminders
from reminders.store.clinic_copy import copy_clinic, next_replanning, stages
from reminders.store.clinics import Clinic
from reminders.store.database import Database, Transaction
from reminders.store.listing import ListedReminder

LONGEST = 730
USUAL_DAYS = 90
ROUND = 32
LEASE = dt.timedelta(hours=1)
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - a folder of our own, readable by its owner alone, is made in it
ROOM_WANTED = 2**30
A_MOMENT = dt.timedelta(minutes=1)
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One message that would go out at `at`: its class, its wording, and the (step, protocol) of its reminders."""

    at: dt.datetime
    day: dt.date
    patient: str
    class_name: str
    kind: str
    reminders: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Foresight:
    """What would happen at a clinic up to and with the day `last`.

    `kept_back` counts the reminders that fall due in that time and would not go, by state and reason. `locked` says why
    sending is locked, or will be by the next delivery because of the clock: then none of it goes until that is lifted.
    """

    clinic: Clinic
    first: dt.date
    last: dt.date
    messages: tuple[Foreseen, ...]
    kept_back: tuple[tuple[State, Reason | None, int], ...]
    locked: Because | None = None


def simulate(
    database: Database,
    clock: Clock,
    keys: Keys,
    slug: str,
    days: int = USUAL_DAYS,
    *,
    lasting: Progress | None = None,
) -> Foresight:
    """Look `days` days ahead at one clinic; `lasting` is told how many of them have passed.

    Raises `NoSuchClinic`. The mail server is taken to be well, and nobody to answer or to be treated.
    """
    with _private_folder() as folder:
        file = folder / "copy.db"
        with database.read(clock.now()) as tx:
            clinic = the_clinic(tx, slug)
            locked = lock_state(tx).because or suspected(tx)
            file.touch(mode=0o600)
            copy_clinic(tx, clinic.id, file)
        copy = Database(f"sqlite:///{file}", audit_key=b"of a copy that nobody keeps")
        try:
            return replace(_looked_ahead(copy, clock.now(), keys, clinic, days, lasting), locked=locked)
        finally:
            copy.close()


def _looked_ahead(
    copy: Database, now: dt.datetime, keys: Keys, clinic: Clinic, days: int, lasting: Progress | None
) -> Foresight:
    first = local_day(clinic.timezone, now)
    last = first + dt.timedelta(days=days)
    clock = SetClock(now)
    with copy.write(now, "simulate") as tx:
        plan_clinic(tx, clinic)
    for moment in _passing(_worker(copy, clock, keys), clock, end_of_day(clinic.timezone, last)):
        if lasting:
            lasting((local_day(clinic.timezone, moment) - first).days, days)
    with copy.read(clock.now()) as tx:
        rows = list(reminders.listing(tx, clinic_id=clinic.id))
        messages = tuple(_messages(tx, clinic, (row for row in rows if row.sent_at and row.sent_at >= now)))
    return Foresight(clinic, first, last, messages, _kept_back(rows, now, end_of_day(clinic.timezone, last)))


def _worker(copy: Database, clock: SetClock, keys: Keys) -> Worker:
    transport = Nowhere()
    return Worker(
        database=copy,
        clock=clock,
        keys=keys,
        renderer=cast("Renderer", OncePerKind()),
        transport=transport,
        breakers=Breakers(transport.name),
        lease=LEASE,
        link_base=None,
        observe=nobody,
        chance=random.Random(0),  # noqa: S311 - nothing secret is drawn
    )


def _passing(worker: Worker, clock: SetClock, end: dt.datetime) -> Iterator[dt.datetime]:
    """Deliver again and again, each time at the next moment that changes something, until `end`."""
    while clock.at < end:
        outcome = deliver(worker, "rehearsal", ROUND)
        yield clock.at
        with worker.database.read(clock.at) as tx:
            replanning = next_replanning(tx)
        coming = min((at for at in (outcome.next_at, replanning) if at is not None), default=end)
        clock.at = coming if coming > clock.at else clock.at + A_MOMENT


def _messages(tx: Transaction, clinic: Clinic, sent: Iterable[ListedReminder]) -> Iterator[Foreseen]:
    kinds = stages(tx)
    ordered = sorted(sent, key=lambda row: (row.sent_at, row.patient, row.message_id, row.due_at, row.id))
    for (at, patient, name), together in groupby(ordered, key=lambda row: (row.sent_at, row.patient, row.message_id)):
        rows = list(together)
        if at is not None:
            day, steps = local_day(clinic.timezone, at), tuple((row.step, row.protocol) for row in rows)
            yield Foreseen(at, day, patient, str(rows[0].class_name), kinds[name or ""], steps)


def _kept_back(
    rows: Iterable[ListedReminder], now: dt.datetime, end: dt.datetime
) -> tuple[tuple[State, Reason | None, int], ...]:
    """Count what could have gone in this time, by its days, and would not."""
    waiting = (row for row in rows if now < row.not_after and row.due_at < end)
    counted = Counter((row.state, row.reason) for row in waiting if row.state not in (State.SENT, State.BOUNCED))
    return tuple((state, reason, count) for (state, reason), count in sorted(counted.items(), key=str))


@contextmanager
def _private_folder() -> Iterator[Path]:
    """Give a folder that only we can read, in memory where there is room, and delete it."""
    roomy = MEMORY_FOLDER.is_dir() and shutil.disk_usage(MEMORY_FOLDER).free > ROOM_WANTED
    with tempfile.TemporaryDirectory(prefix="reminders-simulate-", dir=MEMORY_FOLDER if roomy else None) as folder:
        yield Path(folder)
