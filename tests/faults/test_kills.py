"""Every verb is killed: a delivery at its instants, and what writes facts at any statement of its transactions.

Run again, each ends where an unkilled one would have.
"""

import contextlib
import csv
import itertools
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reminders.services.points import Point
from reminders.store import audit_trail
from tests.acceptance.grounds import ALWAYS_OPEN, Ground, OnPostgresql, with_due
from tests.acceptance.ledger import Books
from tests.support.clinic import LOGGED_AT, FakeClock, Office
from tests.support.contents import Rows, contents
from tests.support.killable_deliver import Deliveries, Order
from tests.support.killing_server import KillingServer

LONG_AFTER = "2026-10-01T09:00:00+00:00"


@pytest.mark.parametrize("point", [Point.CLAIMED, Point.ENVELOPE_ACCEPTED, Point.BYTES_KEPT])
def test_f01_a_death_before_the_body_began_is_never_held_against_the_message(
    ground: Ground, ledger: KillingServer, deliveries: Deliveries, point: Point
) -> None:
    books = Books(with_due(ground, 1), ledger, deliveries)
    deaths = 2 if point is Point.BYTES_KEPT else 4
    for _ in range(deaths):
        assert books.killed_at(point)
    assert deliveries.run(books.order()) == {"sent": 1, "unknown": 0, "failed": 0, "deferred": 0, "held": 0}


@pytest.mark.parametrize("point", [Point.FENCED, Point.DOT_WRITTEN, Point.ANSWERED])
def test_f02_a_message_in_doubt_is_listed_as_unknown_by_the_next_delivery_and_never_sent_again(
    ground: Ground, ledger: KillingServer, deliveries: Deliveries, point: Point
) -> None:
    books = Books(with_due(ground, 1), ledger, deliveries)
    assert books.killed_at(point)
    outcome = deliveries.run(books.order())
    assert outcome is not None
    assert (outcome["unknown"], outcome["sent"]) == (1, 0)
    assert books.unknown() == 1
    assert len(ledger.accepted) == (0 if point is Point.FENCED else 1)


def everything(url: str) -> Rows:
    """Return what a database says; its trail must be whole."""
    with contextlib.closing(Office(url, FakeClock())) as office, office.read() as tx:
        assert audit_trail.verify(tx) is None
        return contents(tx)


def killed_and_run_again(deliveries: Deliveries, order: dict[str, Any], urls: list[str], kills: int) -> None:
    """Carry an order out on the first database; on the second with kills at random statements before; compare."""
    whole = deliveries.run(Order(urls[0], **order, kill_at="statement", nth=0))
    assert whole is not None
    chance = random.Random(kills)
    for _ in range(kills):
        deliveries.run(Order(urls[1], **order, kill_at="statement", nth=chance.randint(1, whole["seen"])))
    assert deliveries.run(Order(urls[1], **order)) is not None
    assert everything(urls[0]) == everything(urls[1])


def several_clinics(url: str) -> str:
    with contextlib.closing(Office(url, FakeClock())) as office:
        for slug in ("riverside", "hillside", "seaside"):
            office.add_clinic(slug, **ALWAYS_OPEN)
            office.add_due(6, slug)
    return url


def test_f03_planning_killed_anywhere_and_run_again_ends_where_an_unkilled_one_does(
    ground: Ground, deliveries: Deliveries
) -> None:
    urls = [several_clinics(ground.fresh()) for _ in range(2)]
    killed_and_run_again(deliveries, {"now": LONG_AFTER, "verb": "plan"}, urls, 8)


def a_file(folder: Path, rows: int) -> str:
    """Write an export of so many patients, every seventh with a treatment."""
    path = folder / "export.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["patient_ref", "given_name", "email", "consent", "protocol", "treated_on"])
        for number in range(rows):
            treated = ("botulinum-cosmetic", "2026-01-02") if number % 7 == 0 else ("", "")
            out.writerow([f"R{number}", f"Ada{number}", f"ada{number}@home.example", "granted", *treated])
    return str(path)


def an_empty_clinic(url: str) -> str:
    with contextlib.closing(Office(url, FakeClock())) as office:
        office.add_clinic(**ALWAYS_OPEN)
    return url


def import_killed(ground: Ground, folder: Path, deliveries: Deliveries, rows: int, kills: int) -> None:
    urls = [an_empty_clinic(ground.fresh()) for _ in range(2)]
    order = {"now": LOGGED_AT.isoformat(), "verb": "import", "given": a_file(folder, rows)}
    killed_and_run_again(deliveries, order, urls, kills)


def test_f03_an_import_killed_anywhere_and_run_again_ends_where_an_unkilled_one_does(
    ground: Ground, tmp_path: Path, deliveries: Deliveries
) -> None:
    import_killed(ground, tmp_path, deliveries, 1_200, 2)


def test_f03_an_import_killed_anywhere_leaves_whole_patients_or_none(
    ground: Ground, tmp_path: Path, deliveries: Deliveries
) -> None:
    url = an_empty_clinic(ground.fresh())
    order = Order(url, LOGGED_AT.isoformat(), verb="import", given=a_file(tmp_path, 2), kill_at="statement")
    left = [everything(url)]
    for nth in itertools.count(10, 12):
        if deliveries.run(replace(order, nth=nth)) is not None:
            break
        left.append(everything(url))
    assert [rows for rows in left if rows not in (left[0], everything(url))] == []
    assert len(left) > 3


def test_f36_an_import_killed_half_way_and_run_again_stores_each_row_once(
    ground: Ground, tmp_path: Path, deliveries: Deliveries
) -> None:
    import_killed(ground, tmp_path, deliveries, 300, 3)


@pytest.mark.storm
@pytest.mark.timeout(3600)
def test_f03_an_import_killed_twenty_times_ends_where_an_unkilled_one_does(
    ground: Ground, tmp_path: Path, deliveries: Deliveries, record_property: Callable[[str, object], None]
) -> None:
    import_killed(ground, tmp_path, deliveries, 5_000, 20)
    record_property("kills", 20)


def test_f03_an_erasure_killed_anywhere_and_run_again_leaves_no_row_with_the_name(
    ground: Ground, ledger: KillingServer, deliveries: Deliveries
) -> None:
    books = Books(with_due(ground, 2), ledger, deliveries)
    deliveries.run(books.order())
    for nth in itertools.count(5, 23):
        if deliveries.run(books.order("statement", nth, verb="erase", given="P1")) is not None:
            break
        found = repr(everything(books.url))
        assert ("AdaP1" in found) == ("p1@riverside" in found)
        if "AdaP1" not in found:
            break
    with contextlib.closing(books.office()) as office:
        gone = [row.patient for row in office.rows() if row.patient.startswith("erased-")]
    assert deliveries.run(books.order(verb="erase", given=gone[0] if gone else "P1")) == {}
    found = repr(everything(books.url))
    assert "AdaP1" not in found
    assert "p1@riverside" not in found
    assert "AdaP2" in found


# backups
@pytest.fixture
def programs(ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder whose programs are found first, with those of the server behind it."""
    folder = tmp_path / "programs"
    folder.mkdir()
    servers = f"{ground.cluster.server.bin_path}:" if isinstance(ground, OnPostgresql) else ""
    monkeypatch.setenv("PATH", f"{folder}:{servers}{os.environ['PATH']}")
    return folder


@pytest.fixture
def backing_up(programs: Path) -> Iterator[Deliveries]:
    assert programs.is_dir()
    with Deliveries() as made:
        yield made


def is_whole(url: str, copy: Path) -> bool:
    """Tell whether a backup holds everything."""
    if url.startswith("sqlite"):
        with contextlib.closing(Office(f"sqlite:///{copy}", FakeClock())) as office, office.read() as tx:
            return contents(tx) == everything(url)
    listed = subprocess.run(["pg_restore", "--file=-", copy], capture_output=True, check=False)  # noqa: S607
    return listed.returncode == 0 and b"p2@riverside" in listed.stdout


def test_f03_a_backup_killed_anywhere_leaves_a_whole_copy_or_none_and_is_run_again(
    ground: Ground, tmp_path: Path, backing_up: Deliveries
) -> None:
    url, copy = with_due(ground, 2), tmp_path / "copy"
    order = Order(url, LOGGED_AT.isoformat(), verb="backup", given=str(copy), kill_at="system", nth=0)
    whole = backing_up.run(order)
    assert whole is not None
    assert is_whole(url, copy)
    left = []
    for nth in (*sorted(random.Random(3).sample(range(1, whole["seen"]), 6)), whole["seen"]):
        copy.unlink(missing_ok=True)
        assert backing_up.run(replace(order, nth=nth)) is None
        left.append(copy.exists())
        if not copy.exists():
            assert backing_up.run(replace(order, kill_at=None)) is not None
        assert is_whole(url, copy)
    assert set(left) == {False, True}


def test_f03_a_backup_killed_while_its_bytes_are_written_leaves_nothing_under_its_name(
    ground: Ground, tmp_path: Path, programs: Path, backing_up: Deliveries
) -> None:
    url, copy = with_due(ground, 2), tmp_path / "copy"
    order = Order(url, LOGGED_AT.isoformat(), verb="backup", given=str(copy), kill_at="bytes", nth=100_000)
    if url.startswith("postgresql"):
        cut = 'for one; do truncate -s 9000 "${one#--file=}" 2>/dev/null; done\nkill -9 $PPID\n'
        (programs / "pg_dump").write_text(f'#!/bin/sh\n{shutil.which("pg_dump")} "$@"\n{cut}')
        (programs / "pg_dump").chmod(0o700)
    assert backing_up.run(order) is None
    assert not copy.exists()
    [fragment] = tmp_path.glob(".copy.*.new")
    assert fragment.stat().st_mode & 0o777 == 0o600
    (programs / "pg_dump").unlink(missing_ok=True)
    assert backing_up.run(replace(order, kill_at=None)) is not None
    assert is_whole(url, copy)
