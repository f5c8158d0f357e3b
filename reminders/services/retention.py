"""Drops what an installation keeps no longer, a batch per transaction, and says so on the audit trail.

Invariants: a stop link works for two years at least, a request link for the 60 days that it promises; what was sent,
when and under which Message-ID stays for good. A crash leaves whole batches: the next run goes on. The trail tells of
every run that came to its end, so that whoever delivers without a clock knows when the next one is due.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, dataclass

from reminders.clock import Clock
from reminders.domain.clock_check import Verdict
from reminders.services.answering.asked import WORKS_FOR
from reminders.services.guarding.lock import lock_state
from reminders.services.insist import Patience
from reminders.services.turns import Turns
from reminders.store import audit_trail, heartbeats, links, retention, transports
from reminders.store.database import Database, Transaction

BATCH = 500
STOP_LINKS_WORK = dt.timedelta(days=2 * 366)
"""CAN-SPAM asks for 30 days (16 CFR 316.5); a mail is found again long after that."""
HEARTBEATS_KEPT = dt.timedelta(days=7)
DOMAINS_KEPT = dt.timedelta(days=7)
"""A domain that was put off last so long ago begins anew."""
EVERY = dt.timedelta(days=1)
MOST_BATCHES = 20
"""How many transactions of `BATCH` rows a delivery may take: whoever begins it every few minutes waits for its end."""


@dataclass(frozen=True, slots=True)
class Tidied:
    """How many messages lost their bytes, and how many links and signs of life were dropped."""

    bytes_dropped: int = 0
    links_dropped: int = 0
    heartbeats_dropped: int = 0


def tidy(
    database: Database, clock: Clock, keep_days: int, go_on: Callable[[], bool], patience: Patience | None = None
) -> Tidied:
    """Drop what has had its time; bytes after `keep_days` days (0 keeps them). Ends early once `go_on` says no.

    While sending is locked, or the machine's clock is not where it was, nothing is dropped: it could not be had back.
    """
    with database.read(clock.now()) as tx:
        state = lock_state(tx)
        if state.because is not None or state.clock is not Verdict.STEADY:
            return Tidied()

    turns = Turns(database, patience or Patience())

    def all_of(drop: Callable[[Transaction], int]) -> int:
        dropped = 0
        while go_on():
            with turns.write(clock.now, "tidy") as tx:
                count = drop(tx)
            dropped += count
            if count < BATCH:
                break
        return dropped

    def bytes_of(tx: Transaction) -> int:
        return retention.drop_bytes(tx, tx.now - dt.timedelta(days=keep_days), BATCH)

    request, stop = (_links(purpose, age) for purpose, age in _AGES.items())
    done = Tidied(
        bytes_dropped=all_of(bytes_of) if keep_days else 0,
        links_dropped=all_of(request) + all_of(stop),
        heartbeats_dropped=all_of(lambda tx: heartbeats.forget(tx, tx.now - HEARTBEATS_KEPT)),
    )
    ended = go_on()
    if ended or done != Tidied():
        with turns.write(clock.now, "tidy") as tx:
            transports.forget_domains(tx, tx.now - DOMAINS_KEPT)
            action = retention.WHOLE if ended else retention.PART
            audit_trail.record(tx, action, "installation", 1, details=asdict(done))
    return done


def tidy_once_a_day(database: Database, clock: Clock, keep_days: int, go_on: Callable[[], bool]) -> Tidied:
    """Do as `tidy` unless that was done within a day; at most `MOST_BATCHES` at once, the rest when it is asked again.

    For an installation whose deliveries something else begins, such as cron: no clock ticks there.
    """
    with database.read(clock.now()) as tx:
        if retention.ended_since(tx, tx.now - EVERY):
            return Tidied()
    left = iter(range(MOST_BATCHES))
    return tidy(database, clock, keep_days, lambda: go_on() and next(left, None) is not None)


_AGES = {links.REQUEST: WORKS_FOR[links.REQUEST], links.STOP: STOP_LINKS_WORK}


def _links(purpose: str, age: dt.timedelta) -> Callable[[Transaction], int]:
    return lambda tx: retention.drop_links(tx, purpose, tx.now - age, BATCH)
