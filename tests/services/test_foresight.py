"""Looking ahead: it says what then happens, writes nothing, and leaves nothing behind."""

import contextlib
import datetime as dt
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from reminders.domain.facts import Kind
from reminders.domain.lifecycle import Reason, State
from reminders.domain.sending_hours import local_day
from reminders.mail.check import complaints
from reminders.mail.message import MessageLinks
from reminders.mail.render import Renderer
from reminders.services.find import NoSuchClinic
from reminders.services.foresight.rehearsal import Nowhere, OncePerKind, in_brief
from reminders.services.foresight.simulate import Foresight, simulate
from reminders.services.letter import message_facts
from reminders.services.subjects import subject_of
from reminders.store import clinics
from reminders.store.listing import ListedReminder
from tests.support.clinic import INVITED_AT, FakeClock, Office
from tests.support.facts import day, utc

DAYS = 100
BRIEF = cast("Renderer", OncePerKind())
"""Kept from test to test: the letters of a kind are alike in all of them."""
Told = set[tuple[dt.date, str, str, frozenset[tuple[str, str]]]]

on_linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells which files are open")


def ahead(office: Office, days: int = DAYS, slug: str = "riverside") -> Foresight:
    return simulate(office.database, office.clock, office.keys, slug, days)


def told(found: Foresight) -> Told:
    return {(one.day, one.patient, one.class_name, frozenset(one.reminders)) for one in found.messages}


def happens(office: Office, days: int, slug: str = "riverside") -> Told:
    """Let the time pass, with deliveries at full hours, one a day at least, and return what went out."""
    began, zone = office.clock.now(), "Europe/London"
    with office.read() as tx:
        zone = next(one.timezone for one in clinics.all_clinics(tx) if one.slug == slug)
    last = local_day(zone, began) + dt.timedelta(days=days)
    while local_day(zone, office.clock.now()) <= last:
        coming = office.deliver(Nowhere(), round_size=8, renderer=BRIEF).next_at
        now = office.clock.now()
        at_latest = now + dt.timedelta(hours=24)
        coming = max(min(coming or at_latest, at_latest), now + dt.timedelta(minutes=1))
        office.clock.set((coming + dt.timedelta(minutes=59, seconds=59)).replace(minute=0, second=0))
    by_message: dict[str, list[ListedReminder]] = {}
    for row in office.rows(slug=slug):
        if row.sent_at is not None and row.sent_at >= began:
            by_message.setdefault(row.message_id or "", []).append(row)
    return {
        (
            local_day(zone, rows[0].sent_at or began),
            rows[0].patient,
            str(rows[0].class_name),
            frozenset((row.step, row.protocol) for row in rows),
        )
        for rows in by_message.values()
    }


def test_it_tells_the_day_the_patient_the_steps_and_the_kind_of_every_message(office: Office) -> None:
    found = ahead(office, 200)
    assert [(str(one.day), one.patient, one.kind, one.reminders) for one in found.messages] == [
        ("2026-03-23", "P1", "invitation", (("invitation", "botulinum-cosmetic"),)),
        ("2026-05-05", "P1", "follow_up", (("follow_up", "botulinum-cosmetic"),)),
        ("2026-06-15", "P1", "last_call", (("last_call", "botulinum-cosmetic"),)),
    ]
    assert found.messages[0].at == INVITED_AT
    assert found.kept_back == ()
    assert found.last == day("2026-01-05") + dt.timedelta(days=200)


LIVES = ("botulinum-cosmetic", "botulinum-migraine", "filler-lips", "skin-booster", "peel-medium")


def live(office: Office, seed: int, slug: str = "riverside") -> None:
    """Let some dozen patients have been treated, booked, held and stopped, all by chance."""
    chance = random.Random(seed)
    today = local_day("UTC", office.clock.now())
    office.add_clinic(
        slug,
        sending_days=chance.choice(["mon,tue,wed,thu,fri", "tue,thu", "mon,tue,wed,thu,fri,sat,sun"]),
        sending_hours=chance.choice(["09:00-17:00", "00:00-24:00", "11:30-15:00"]),
        timezone=chance.choice(["Europe/London", "America/New_York", "Pacific/Auckland"]),
        **({"daily_limit": "1"} if seed % 3 == 0 else {}),
    )
    for number in range(12):
        ref = f"P{number}"
        office.add_patient(ref, slug, consent=chance.choice(["granted", "granted", "unknown"]))
        for _ in range(chance.randint(1, 3)):
            on = today - dt.timedelta(days=chance.randint(0, 200))
            kind = chance.choice([Kind.TREATMENT, Kind.TREATMENT, Kind.TOUCH_UP])
            office.treat(ref, str(on), chance.choice(LIVES), slug, kind=kind)
        match chance.randint(0, 5):
            case 0:
                office.book(str(today + dt.timedelta(days=chance.randint(1, 60))), ref, slug)
            case 1 if slug == "riverside":
                office.hold(today + dt.timedelta(days=chance.randint(1, 90)), ref)
            case 2:
                office.change_patient(ref, slug, opt_out="cosmetic")
            case 3:
                office.change_patient(ref, slug, due="20w")


@pytest.mark.parametrize("seed", range(3))
def test_what_it_tells_is_what_then_happens(empty_office: Office, seed: int) -> None:
    live(empty_office, seed)
    found = told(ahead(empty_office))
    assert found == happens(empty_office, DAYS)
    assert found


def test_a_second_clinic_is_left_out(empty_office: Office) -> None:
    live(empty_office, 1)
    alone = ahead(empty_office)
    live(empty_office, 2, "lakeside")
    assert told(ahead(empty_office)) == told(alone)


@on_linux
@pytest.mark.usefixtures("sqlite_url")
def test_the_database_stays_as_it_is_byte_for_byte_and_no_copy_stays(office: Office) -> None:
    office.close()
    file = Path(office.database.address.removeprefix("sqlite:///"))
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    used: set[Path] = set()
    found = simulate(
        office.database, office.clock, office.keys, "riverside", 90, lasting=lambda *_: used.update(_in_use())
    )
    office.close()
    assert found.messages
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before
    assert used
    assert [folder for folder in used if folder.exists()] == []


def _in_use() -> set[Path]:
    """Return the private folders in which this process has a file open; other tests have theirs."""
    found = set()
    for link in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):  # the one by which the list was read is gone
            found.add(link.readlink().parent)
    return {folder for folder in found if folder.name.startswith("reminders-simulate-")}


@on_linux
def test_an_interruption_leaves_no_copy(office: Office) -> None:
    used: set[Path] = set()

    def interrupt(_done: int, _total: int | None) -> None:
        used.update(_in_use())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(office.database, office.clock, office.keys, "riverside", 90, lasting=interrupt)
    assert used
    assert [folder for folder in used if folder.exists()] == []


def test_the_copy_is_readable_by_its_owner_alone_and_names_nobody(office: Office) -> None:
    seen: list[tuple[int, int, bytes]] = []

    def look(_done: int, _total: int | None) -> None:
        for folder in _in_use():
            mode = folder.stat().st_mode & 0o777
            seen.extend((mode, file.stat().st_mode & 0o777, file.read_bytes()) for file in folder.iterdir())

    simulate(office.database, office.clock, office.keys, "riverside", 90, lasting=look)
    assert seen
    for folder_mode, file_mode, content in seen:
        assert (folder_mode, file_mode & 0o077) == (0o700, 0)
        assert b"AdaP1" not in content
        assert b"Lovelace" not in content
        assert b"riverside-patients.example" not in content


def test_what_is_held_is_counted_with_its_reason(office: Office) -> None:
    office.hold(None)
    found = ahead(office, 120)
    assert found.messages == ()
    assert found.kept_back == ((State.CANCELLED, Reason.ON_HOLD, 2),)


def test_a_paused_clinic_sends_nothing(office: Office) -> None:
    office.pause()
    assert ahead(office).messages == ()


def test_answers_that_the_clinic_was_not_told_of_are_not_announced(office: Office) -> None:
    office.answer(Reason.REPLIED)
    assert ahead(office).messages == ()


def test_a_clinic_that_is_not_there_is_named(office: Office) -> None:
    with pytest.raises(NoSuchClinic):
        ahead(office, slug="nowhere")


def test_a_template_that_cannot_be_filled_holds_its_messages(office: Office) -> None:
    office.change_clinic(address="")  # without a postal address nothing may go out
    found = ahead(office)
    stopped = {reason for _, reason, _ in found.kept_back}
    office.clock.set(INVITED_AT)
    office.deliver(Nowhere())
    held = office.row().reason is Reason.TEMPLATE_BROKEN
    assert held == (Reason.TEMPLATE_BROKEN in stopped)


def test_a_message_in_brief_says_all_that_each_must_say(office: Office) -> None:
    with office.read() as tx:
        subject = subject_of(tx, 1)
        shown = message_facts(subject, subject.stored[:1], tx.now)
    for links in (MessageLinks(), MessageLinks("https://r.example/p/x", "https://r.example/u/y")):
        assert complaints(in_brief(shown, links, Renderer().version(shown)), shown, links) == ()


@pytest.fixture
def elsewhere(postgres_url: str) -> Iterator[Office]:
    made = Office(postgres_url, FakeClock(utc("2026-01-05 12:00")))
    made.install()
    yield made
    made.close()


@pytest.mark.usefixtures("sqlite_url")
def test_it_tells_the_same_of_a_clinic_on_postgresql(elsewhere: Office, empty_office: Office) -> None:
    for office in (elsewhere, empty_office):
        live(office, 4)
    assert ahead(elsewhere).messages == ahead(empty_office).messages
