"""While another program writes: answers are put off at once and leave nothing, and whoever looks is answered."""

import dataclasses
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager
from itertools import islice

import httpx2
import pytest

from reminders.app import App
from reminders.store.database import Database
from reminders.web.limits import Limits
from reminders.web.serve import served
from tests.support.clinic import Office
from tests.support.site import FREE_PLACE, Letter, rows

MANY = Limits(looks=1000, answers=1000, one_clicks=1000, writer_wait_s=0.3)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@contextmanager
def writing(office: Office) -> Iterator[None]:
    """Be the database's one writer, as a program that imports or upgrades is."""
    path = office.database.address.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.fixture
def impatient(app: App, office: Office) -> Iterator[App]:
    """The product, waiting 0.3 seconds for another writer."""
    database = Database(office.database.address, audit_key=office.keys.audit_key, busy_ms=300)
    with closing(database):
        yield dataclasses.replace(app, database=database)


def test_of_twenty_answers_four_wait_for_the_writer_and_whoever_looks_waits_for_nobody(
    app: App, office: Office, letter: Letter
) -> None:
    """Here a writer waits for 20 seconds; nothing else in this test may take 10."""
    pages = [(f"/u/{letter.stop}", ONE_CLICK), (f"/p/{letter.request}", {"kind": "stopped"})]
    with served(app, FREE_PLACE, MANY) as address, ThreadPoolExecutor(20) as pool:
        with writing(office):
            sent = [pool.submit(httpx2.post, f"{address}{path}", data=form, timeout=60) for path, form in pages * 10]
            put_off = [done.result() for done in islice(as_completed(sent, timeout=10), 16)]
            looks = [httpx2.get(f"{address}{path}", timeout=10).status_code for path, _ in pages * 3]
            waiting = [one for one in sent if not one.done()]
        taken = {one.result().status_code for one in waiting}
    assert looks == [200] * 6
    assert {answer.status_code for answer in put_off} == {503}
    assert all("This did not work" in answer.text for answer in put_off)
    assert len(waiting) == 4
    assert taken <= {200, 303}


def test_an_answer_is_taken_again_once_the_other_has_written(impatient: App, office: Office, letter: Letter) -> None:
    before = rows(office)
    with served(impatient, FREE_PLACE, MANY) as address:
        with writing(office):
            for path, form in ((f"/u/{letter.stop}", ONE_CLICK), (f"/p/{letter.request}", {"kind": "stopped"})):
                put_off = httpx2.post(f"{address}{path}", data=form)
                assert (put_off.status_code, put_off.headers["retry-after"]) == (503, "30")
            assert httpx2.post(f"{address}/u/unknown", data=ONE_CLICK).status_code == 200, "needs no writer"
        assert rows(office) == before
        assert httpx2.post(f"{address}/u/{letter.stop}", data=ONE_CLICK).status_code == 200
    assert office.row("follow_up").reason == "opted_out"


def test_who_finds_no_place_among_the_writers_is_put_off(app: App, office: Office, letter: Letter) -> None:
    before = rows(office)
    none = dataclasses.replace(MANY, writers=0, writer_wait_s=0.01)
    with served(app, FREE_PLACE, none) as address:
        found = httpx2.post(f"{address}/p/{letter.request}", data={"kind": "stopped"})
        assert httpx2.get(f"{address}/u/{letter.stop}").status_code == 200
    assert (found.status_code, found.headers["retry-after"]) == (503, "30")
    assert rows(office) == before


def test_places_are_given_back(app: App, letter: Letter) -> None:
    with served(app, FREE_PLACE, dataclasses.replace(MANY, writers=1)) as address:
        for _ in range(3):
            assert httpx2.post(f"{address}/u/{letter.stop}", data={"act": "stop"}).status_code == 200
