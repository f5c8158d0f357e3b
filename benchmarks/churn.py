"""Takes reminders on PostgreSQL through all states on their way, over and over, and says what that leaves behind.

Usage: python -m benchmarks.churn [CHANGES] [--rows ROWS] [--as-it-comes]. CHANGES (default 200,000) are changes of a
reminder's state or attempt, four to a message, made by the product's own steps, 32 messages to a commit, but for the
wire and the words. ROWS (default three times the messages) are planned when it begins. `--as-it-comes` leaves the
server's own storage settings in place, to be held against ours.

Invariant: the server is durable, and cleans up by itself; it looks every five seconds, where by default it would look
once a minute, since a run of minutes stands for hours.
"""

import argparse
import datetime as dt
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.databases import ask, postgres_server, run
from benchmarks.fill import fill
from benchmarks.seed import seeded
from reminders.clock import SystemClock
from reminders.domain.lifecycle import State
from reminders.domain.protocol import TreatmentClass
from reminders.store import messages, outbox, places, queue, reminders
from reminders.store.database import Database
from reminders.store.messages import Blanked, Kept, NewMessage, Versions
from reminders.store.server import STORAGE

CLINICS = 2
ROUND = 32
CHANGES_OF_A_MESSAGE = 4
LOOKS = 10
AHEAD = dt.timedelta(days=400)
"""So far ahead is the moment at which all of it is done: everything that was filled in is due by then."""

CONTENT = b"x" * 4096
PLACE = "benchmark"
_TABLES = ("reminders", "messages", "places")
_STANDING = """
SELECT n_live_tup, n_dead_tup, n_tup_upd, n_tup_hot_upd, autovacuum_count, pg_table_size(relid), pg_indexes_size(relid)
FROM pg_stat_user_tables WHERE relname = '{table}'
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in a table: rows live and dead, updates and those of them in the page, cleanings, sizes in MB."""

    live: int
    dead: int
    updates: int
    hot: int
    cleanings: int
    table_mb: float
    indexes_mb: float


def main(changes: int, rows: int | None, *, ours: bool) -> int:
    """Run it in a temporary folder with a server of its own."""
    count = changes // CHANGES_OF_A_MESSAGE
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server:
        server.alter("autovacuum_naptime", "5s")
        url = seeded(server.fresh(), Path(folder), 0, CLINICS)
        if not ours:
            run(url, *(f"ALTER TABLE {table} RESET ({', '.join(given)})" for table, given in STORAGE.items()))
        planned = fill(url, rows or 3 * count, CLINICS)
        server.settle(url)
        with closing(Database(url)) as database:
            with database.write(SystemClock().now(), "benchmark") as tx:
                places.join(tx, PLACE)
            _say(f"{planned:,} planned, {changes:,} changes, storage {'ours' if ours else 'as it comes'}")
            _say("changes     looked ms  claimed ms  dead rows  cleanings  table MB  indexes MB")
            for number, (looked, claimed) in enumerate(_tenths(database, count), 1):
                one = standing(url, "reminders")
                _say(
                    f"{number * changes // LOOKS:>9,} {looked:>10.2f} {claimed:>11.2f} {one.dead:>10,}"
                    f" {one.cleanings:>10} {one.table_mb:>9.0f} {one.indexes_mb:>11.0f}"
                )
        for table in _TABLES:
            one = standing(url, table)
            _say(
                f"{table}: {one.updates:,} updates, {one.hot / max(one.updates, 1):.0%} in the page (HOT),"
                f" {one.cleanings} cleanings, {one.table_mb + one.indexes_mb:.0f} MB"
            )
    return 0


def standing(url: str, table: str) -> Standing:
    """Return what stands in a table, as far as the server has counted: a connection tells it about once a second."""
    live, dead, updates, hot, cleanings, heap, indexes = ask(url, _STANDING.format(table=table))[0]
    return Standing(live, dead, updates, hot, cleanings, heap / 1e6, indexes / 1e6)


def _tenths(database: Database, count: int) -> Iterator[tuple[float, float]]:
    """Send `count` messages; yield, for each tenth, the milliseconds that looking for a round and claiming it took."""
    done = 0
    for tenth in range(1, LOOKS + 1):
        looked, claimed = list[float](), list[float]()
        while done < count * tenth // LOOKS:
            sent, *took = _round(database, 1 + len(looked) % CLINICS)
            looked.append(took[0] * 1000)
            claimed.append(took[1] * 1000)
            if not sent:
                return
            done += sent
        if looked:
            yield statistics.median(looked), statistics.median(claimed)


def _round(database: Database, clinic_id: int) -> tuple[int, float, float]:
    """Take one round of a clinic's messages from the plan to `sent`, with the commits of a delivery."""
    now = SystemClock().now() + AHEAD
    begun = time.perf_counter()
    with database.read(now) as tx:
        patients = queue.due_patients(tx, clinic_id, limit=ROUND).patients
    found = time.perf_counter()
    with database.write(now, "benchmark", alongside=True) as tx:
        stored = reminders.stored(tx, patients)
        chosen = [next(one for one in stored[who] if one.state is State.PLANNED) for who in patients]
        new = [
            NewMessage(clinic_id, who, f"<{one.id}@bench.example>", TreatmentClass.COSMETIC, one.step)
            for who, one in zip(patients, chosen, strict=True)
        ]
        kept = messages.add_messages(tx, new)
        wants = [([one], message) for one, message in zip(chosen, kept, strict=True)]
        held = outbox.claim(tx, wants, "benchmark", now + dt.timedelta(minutes=1))
    claimed = time.perf_counter()
    with database.write(now, "benchmark", alongside=True) as tx:
        outbox.begin_bodies(tx, held)
        messages.keep_bytes(tx, [Kept(one.id, CONTENT, None, "f", Versions("t", "c"), one.stage, "a") for one in kept])
    with database.write(now, "benchmark", alongside=True) as tx:
        outbox.hand_over(tx, held)
        places.pass_fence(tx, PLACE)
    with database.write(now, "benchmark", alongside=True) as tx:
        sent = sum(outbox.settle_sent(tx, held))
        messages.blank_contents(tx, [Blanked(one.id, CONTENT, None) for one in kept])
    return sent, found - begun, claimed - found


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.churn")
    parser.add_argument("changes", type=int, nargs="?", default=200_000)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--as-it-comes", action="store_true")
    given = parser.parse_args()
    sys.exit(main(given.changes, given.rows, ours=not given.as_it_comes))
