"""Pages whose database another program keeps: whoever asks is told to come again, and nothing is half done."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import cast

import httpx2
import pytest

from reminders.app import App
from reminders.store.database import Database
from reminders.web.health import Known
from tests.support.clinic import FakeClock, Office
from tests.support.site import GENEROUS, Letter, app_of, browsing, rows
from tests.support.ticking import FakeTime


def impatient(office: Office) -> None:
    """Let nobody wait longer than a moment for another writer."""
    office.database.close()
    office.database = Database(office.database.address, audit_key=office.keys.audit_key, busy_ms=50)


@contextmanager
def kept(office: Office, *, from_readers: bool) -> Iterator[None]:
    """Be the other program, which lets nobody write, or nobody at all."""
    path = office.database.address.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        if from_readers:
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        yield


@pytest.fixture
def web(office: Office, letter: Letter) -> Iterator[httpx2.Client]:
    assert letter.request
    impatient(office)
    with browsing(app_of(office), GENEROUS) as client:
        yield client


def come_again(found: httpx2.Response) -> bool:
    return found.status_code == 503 and found.headers["Retry-After"].isdecimal()


STOP = {"List-Unsubscribe": "One-Click"}


def test_f06_who_answers_while_nobody_may_write_is_told_to_come_again_and_nothing_is_half_done(
    office: Office, letter: Letter, web: httpx2.Client
) -> None:
    before = rows(office)
    with kept(office, from_readers=False):
        assert web.get(f"/p/{letter.request}").status_code == 200, "who reads waits for nobody"
        assert come_again(web.post(f"/p/{letter.request}", data={"kind": "booked"}))
        assert come_again(web.post(f"/u/{letter.stop}", data=STOP))
        assert web.get("/healthz").status_code == 200
    assert rows(office) == before
    assert web.post(f"/p/{letter.request}", data={"kind": "booked"}).status_code == 303
    assert web.post(f"/u/{letter.stop}", data=STOP).status_code == 200


def test_f06_where_nobody_may_read_either_the_pages_live_and_are_not_ready_whatever_they_were(
    office: Office, letter: Letter, web: httpx2.Client
) -> None:
    before = rows(office)
    assert web.get("/readyz").status_code == 200
    office.database.close()
    with kept(office, from_readers=True):
        office.clock.advance(seconds=2)
        for page, form in ((f"/p/{letter.request}", {"kind": "booked"}), (f"/u/{letter.stop}", STOP)):
            assert come_again(web.get(page))
            assert come_again(web.post(page, data=form))
        assert web.get("/healthz").status_code == 200
        assert web.get("/readyz").status_code == 503
    assert rows(office) == before
    assert web.get(f"/u/{letter.stop}").status_code == 200


def test_a_question_that_the_database_does_not_answer_is_asked_once_however_many_probe(app: App) -> None:
    over, asked = threading.Event(), list[int]()

    def question() -> bool:
        asked.append(1)
        return over.wait(30)

    async def probe() -> list[bool]:
        known = Known(app, question, unanswered=False, patience_s=0.01, time=FakeTime())
        found = []
        for _ in range(5):
            cast("FakeClock", app.clock).advance(seconds=2)
            found.append(await known.now())
        assert asked == [1]
        over.set()
        if known.asked:
            await known.asked
        found.append(await known.now())
        return found

    with ThreadPoolExecutor(1) as pool:  # a browser's test leaves a loop running in this one's thread
        found = pool.submit(lambda: asyncio.run(probe())).result(60)
    assert found == [False] * 5 + [True]
