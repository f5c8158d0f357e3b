"""The power fails during a delivery on SQLite, and the disk forgets, or tears, whatever had not been flushed.

What a delivery does to its files is written down once; each image is what a disk may hold after one of its calls.
"""

import contextlib
import itertools
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from reminders.services.points import Point
from reminders.store.database import file_paths
from tests.acceptance.grounds import OnSqlite, with_due
from tests.acceptance.ledger import Books
from tests.support import syscalls
from tests.support.killable_deliver import Deliveries
from tests.support.killing_server import Accepted, KillingServer
from tests.support.lost_writes import Disk
from tests.support.syscalls import Call

pytestmark = pytest.mark.skipif(syscalls.why_not() is not None, reason=str(syscalls.why_not()))

MESSAGES = 3
TRACE = ("-e", "trace=pwrite64,write,fdatasync,fsync,ftruncate,unlink", "-xx", "-s", "1000000")


@dataclass(frozen=True, slots=True, repr=False)  # megabytes
class Recording:
    """What a delivery did: its files before it, its calls, and what the server took, in their order."""

    url: str
    before: dict[str, bytes]
    calls: Sequence[Call]
    accepted: Sequence[Accepted]

    def passed(self, upto: int, point: Point) -> int:
        """Return how many times a point was passed before call number `upto`."""
        return sum(call.call == "write" and call.content.strip() == point.encode() for call in self.calls[:upto])


def recorded(ground: OnSqlite, deliveries: Deliveries, server: KillingServer) -> Recording:
    """Deliver some messages, one by one, and write down what that does to the files."""
    books = Books(with_due(ground, MESSAGES), server, deliveries)
    marks, log = ground.folder / "marks", ground.folder / "calls.log"
    marks.touch()
    database, wal, _ = syscalls.files_of(file_paths(books.url)[0])
    before = {str(path): path.read_bytes() if path.exists() else b"" for path in (database, wal)}
    pid = deliveries.start(books.order(marks=str(marks)))
    with syscalls.traced(pid, (database, wal, marks), log, *TRACE):
        deliveries.go()
        assert deliveries.finished() is not None
    return Recording(books.url, before, syscalls.calls_in(log), tuple(server.accepted))


def images(recording: Recording, chance: random.Random, count: int) -> Iterator[tuple[int, dict[str, bytes]]]:
    """Yield so many moments, as numbers of calls, with what the disk may hold then."""
    moments = sorted(chance.randint(1, len(recording.calls)) for _ in range(count))
    disk, done = Disk(dict(recording.before)), 0
    for moment in moments:
        for call in recording.calls[done:moment]:
            if call.call != "write":
                disk.does(call)
        done = moment
        yield moment, disk.image(chance)


def put_back(url: str, image: dict[str, bytes]) -> None:
    """Make the files what the image says; the database keeps its place on the disk, as after a power cut."""
    for path in syscalls.files_of(file_paths(url)[0]):
        if image.get(str(path)):
            with path.open("r+b" if path.exists() else "wb") as file:
                file.truncate()
                file.write(image[str(path)])
        else:
            path.unlink(missing_ok=True)


def found_in(url: str) -> tuple[str, int, int]:
    """Return what SQLite says of the files, and how many messages are behind their fence, and sent."""
    with contextlib.closing(sqlite3.connect(file_paths(url)[0])) as connection:
        said = "; ".join(line for (line,) in connection.execute("PRAGMA integrity_check"))
        query = "SELECT count(*) FROM reminders WHERE state = ?"
        counts = [connection.execute(query, [state]).fetchone()[0] for state in ("handed_over", "sent")]
    return said, counts[0] + counts[1], counts[1]


def survive(recording: Recording, deliveries: Deliveries, chance: random.Random, count: int) -> None:
    """Try so many images: each opens whole, forgets nothing that was promised, and is carried on from."""
    for moment, image in images(recording, chance, count):
        put_back(recording.url, image)
        said, fenced, sent = found_in(recording.url)
        assert said == "ok"
        assert fenced >= recording.passed(moment, Point.FENCED)
        assert sent >= recording.passed(moment, Point.SETTLED)
        with KillingServer() as server:
            books = Books(recording.url, server, deliveries, seeds=itertools.count(100))
            server.accepted.extend(recording.accepted[: recording.passed(moment, Point.DOT_WRITTEN)])
            books.after_a_kill()
            books.recover()
            books.unknown()


def test_f04_what_was_not_flushed_may_go_and_nothing_is_sent_twice_or_lost(
    file_ground: OnSqlite, deliveries: Deliveries, ledger: KillingServer
) -> None:
    survive(recorded(file_ground, deliveries, ledger), deliveries, random.Random(4), 25)


@pytest.mark.storm
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(5))
def test_f04_five_hundred_power_cuts_send_nothing_twice_and_lose_nothing(
    file_ground: OnSqlite,
    deliveries: Deliveries,
    ledger: KillingServer,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    survive(recorded(file_ground, deliveries, ledger), deliveries, random.Random(seed), 100)
    record_property("power cuts", 100)


def test_f04_a_log_that_is_not_flushed_would_be_found_out(
    file_ground: OnSqlite, deliveries: Deliveries, ledger: KillingServer
) -> None:
    recording = recorded(file_ground, deliveries, ledger)
    lazy = [call for call in recording.calls if call.call not in ("fdatasync", "fsync")]
    unsafe = Recording(recording.url, recording.before, lazy, recording.accepted)
    forgotten = 0
    for moment, image in images(unsafe, random.Random(5), 60):
        put_back(recording.url, image)
        with contextlib.suppress(sqlite3.Error):
            said, fenced, _ = found_in(recording.url)
            forgotten += said == "ok" and fenced < unsafe.passed(moment, Point.FENCED)
    assert forgotten
