"""What the pages behind a message's links show, and to whom: the same nothing to everybody who has no working link."""

import dataclasses
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from reminders.domain.answers import AnswerKind
from reminders.services import clinic
from reminders.services.answering import answer
from reminders.services.answering.answer import Reply
from reminders.store.database import Transaction
from tests.services.readers import Reader, invited
from tests.support.clinic import INVITED_AT, Office
from tests.support.facts import day, utc


@pytest.fixture
def reader(office: Office, tmp_path: Path) -> Reader:
    """P1 got her cosmetic invitation a moment ago."""
    return invited(office, tmp_path / "out")


@contextmanager
def _asked(tx: Transaction) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]))

    event.listen(tx.connection.engine, "before_cursor_execute", note)
    yield seen
    event.remove(tx.connection.engine, "before_cursor_execute", note)


def test_a_page_shows_the_clinic_and_of_the_patient_the_first_name(reader: Reader) -> None:
    page = reader.page()
    assert dataclasses.asdict(page) == {
        "clinic_name": "Clinic Riverside",
        "phone": "+44 20 7946 0000",
        "booking_url": "https://riverside.example/book",
        "reply_to": "hello@riverside.example",
        "language": "en",
        "jurisdiction": "uk",
        "country": None,
        "colour": None,
        "class_name": "cosmetic",
        "first_name": "AdaP1",
        "for_representative": False,
        "today": day("2026-03-23"),
        "phone_known": True,
        "practitioners": ((1, "Dr Jane Hart"),),
        "suggested": None,
        "later_days": tuple(day("2026-05-05") + dt.timedelta(weeks=weeks) for weeks in range(8)),
        "elsewhere_months": (day("2026-03-01"), day("2026-02-01"), day("2026-01-01")),
        "answered": None,
        "stopped": frozenset(),
        "stopped_on": None,
        "former": False,
    }
    stop = reader.stop_page()
    shared = {field.name: getattr(page, field.name) for field in dataclasses.fields(stop)}
    assert dataclasses.asdict(stop) == shared


def test_a_location_of_their_own_and_a_language_of_their_own_are_shown(office: Office, tmp_path: Path) -> None:
    with office.write() as tx:
        clinic.add_location(tx, "riverside", "Quay", {"phone": "+44 1", "booking_url": "https://quay.example/"})
        tx.connection.exec_driver_sql("UPDATE patients SET location_id = 1, language = 'pt-BR'")
    page = invited(office, tmp_path / "out").page()
    assert (page.phone, page.booking_url, page.language) == ("+44 1", "https://quay.example/", "pt")


@pytest.mark.parametrize(
    ("own", "clinics", "shown"),
    [("de-AT", "es", "de"), ("ar", "es", "ar"), ("sv", "es", "es"), (None, "es", "es"), ("sv", "nl", "en")],
)
def test_a_page_is_in_the_patients_language_else_the_clinics_else_english(
    reader: Reader, own: str | None, clinics: str, shown: str
) -> None:
    with reader.office.write() as tx:
        tx.connection.exec_driver_sql("UPDATE patients SET language = ?", (own,))
        tx.connection.exec_driver_sql("UPDATE clinics SET language = ?", (clinics,))
    assert (reader.page().language, reader.stop_page().language) == (shown, shown)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"known_as": "Mary Ann"}, "Mary"),
        ({"known_as": "A" * 60}, "A" * 40),
        ({"given_name": "Zoë-Mae X"}, "Zoë-Mae"),
        ({"given_name": "Ann\u200fX"}, "AnnX"),
        ({"representative_email": "parent@home.example"}, ""),
    ],
)
def test_the_first_name_is_one_printable_word_and_never_a_representatives_to_read(
    empty_office: Office, tmp_path: Path, given: dict[str, str], shown: str
) -> None:
    empty_office.add_clinic()
    empty_office.add_patient(**given)
    empty_office.treat()
    page = invited(empty_office, tmp_path / "out").page()
    assert (page.first_name, page.for_representative) == (shown, "representative_email" in given)


def test_whoever_reads_at_a_former_address_is_told_no_name(reader: Reader) -> None:
    reader.office.change_patient(email="new@riverside-patients.example")
    assert reader.page().first_name == ""


def test_nobody_who_has_died_is_greeted(reader: Reader) -> None:
    reader.office.change_patient(status="deceased")
    assert reader.page().first_name == ""


def test_unknown_old_erased_and_other_links_are_nothing_after_one_question_each(reader: Reader) -> None:
    office = reader.office
    looked = {"unknown": "no-such-token", "of another purpose": reader.stop_token(), "odd": "\x00\ud800" + "x" * 9000}
    office.clock.set(utc("2026-05-22 10:00"))
    assert reader.page().first_name
    office.clock.set(utc("2026-05-22 10:01"))  # sixty days and a minute
    looked["old"] = reader.request_token()
    for token in looked.values():
        with office.read() as tx, _asked(tx) as questions:
            assert answer.request_page(tx, token) is None
        assert len(questions) == 1
    with office.write() as tx, _asked(tx) as questions:
        assert answer.answer(tx, looked["old"], Reply(AnswerKind.BOOKED)) is None
        assert answer.take_back(tx, looked["old"]) is None
    assert len(questions) == 2
    assert reader.stop_page().clinic_name
    office.clock.set(utc("2029-05-22 10:00"))
    assert reader.stop_page().clinic_name  # three years on
    office.erase()
    office.clock.set(INVITED_AT)
    with office.write() as tx, _asked(tx) as questions:
        assert answer.request_page(tx, reader.request_token()) is None
        assert answer.stop_page(tx, reader.stop_token()) is None
        assert answer.stop(tx, reader.stop_token(), everything=True) is None
        assert answer.allow_again(tx, reader.stop_token()) is None
    assert len(questions) == 4


def test_looking_writes_nothing(reader: Reader) -> None:
    reader.page()  # in a transaction that cannot write
    reader.stop_page()


def test_no_day_is_offered_where_nothing_can_come_any_more(reader: Reader) -> None:
    reader.office.hold()
    assert reader.page().later_days == ()


def test_days_keep_fourteen_from_the_last_message_and_skip_what_the_clinic_does_not_send_on(reader: Reader) -> None:
    reader.office.change_clinic(sending_days="tue,wed")
    reader.office.clock.set(utc("2026-05-05 09:00"))
    assert reader.receive().sent == 1  # the follow-up; what is to come now is the last call, from 14 June to 5 July
    assert reader.page(2).later_days == (day("2026-06-16"), day("2026-06-23"), day("2026-06-30"))
    reader.office.clock.set(utc("2026-06-16 09:00"))
    assert reader.receive().sent == 1
    assert reader.page(3).later_days == ()


def test_a_day_that_was_offered_yesterday_is_still_taken_today(reader: Reader) -> None:
    reader.office.clock.set(utc("2026-05-04 12:00"))
    offered = reader.page().later_days
    reader.office.clock.set(utc("2026-05-05 08:00"))
    assert offered[1] not in reader.page().later_days
    page = reader.answers(AnswerKind.REMIND_LATER, day=offered[1])
    assert page.answered is not None


def test_a_practitioner_who_has_left_is_not_offered(reader: Reader) -> None:
    with reader.office.write() as tx:
        clinic.change_clinic(tx, "riverside", {}, [], ["Dr Jane Hart"])
    assert reader.page().practitioners == ()


def test_no_day_is_offered_that_would_follow_the_last_message_too_closely(reader: Reader) -> None:
    reader.office.clock.set(utc("2026-06-08 09:00"))
    assert reader.receive().sent == 1  # the follow-up, late; the last call's days begin on 14 June
    assert reader.page(2).later_days == (day("2026-06-22"), day("2026-06-29"))
