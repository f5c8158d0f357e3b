"""The notice to a clinic that patients answered: once, short, to the clinic, and about nobody in particular."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from string import Formatter

import pytest

from reminders.domain.answers import AnswerKind
from reminders.mail.words import LANGUAGES, words
from reminders.services.answering.announce import ORDER
from reminders.services.deliver import DeliverOutcome
from tests.services.readers import Reader, invited
from tests.support.clinic import Office, to
from tests.support.facts import day, utc
from tests.support.smtp_server import HangUp, RealServer, RudeServer
from tests.support.ticking import app_at

SUNDAY_NIGHT = utc("2026-03-29 02:00")


@pytest.fixture
def reader(office: Office, tmp_path: Path) -> Reader:
    """P1 got her invitation; it is Sunday night now, when no reminder goes out."""
    made = invited(office, tmp_path / "out")
    office.clock.set(SUNDAY_NIGHT)
    return made


def _notices(server: RealServer) -> list[EmailMessage]:
    return [message_from_bytes(m.content, _class=EmailMessage, policy=policy.default) for m in server.messages]


def _told(reader: Reader, server: RealServer) -> DeliverOutcome:
    return reader.office.deliver(to(server))


def test_a_clinic_is_told_once_how_many_answered_and_what_by_a_mail_that_names_nobody(
    reader: Reader, server: RealServer
) -> None:
    reader.office.change_clinic(reply_to="desk@riverside.example", sender_name="The Riverside")
    reader.answers(AnswerKind.CONSULTATION_REQUESTED, note="It itches", phone="+44 7700 900111", contact_by="phone")
    outcome = _told(reader, server)
    assert (outcome.announced, outcome.sent) == (1, 0)
    [notice] = _notices(server)
    [received] = server.messages
    assert (received.mail_from, received.rcpt_tos) == ("hello@riverside.example", ("desk@riverside.example",))
    assert str(notice["From"]) == "The Riverside <hello@riverside.example>"
    assert (str(notice["Auto-Submitted"]), notice.get_content_type()) == ("auto-generated", "text/plain")
    said = notice.get_content()
    assert "Consultation requested: 1" in said
    assert "reminders requests list --clinic riverside" in said
    whole = received.content.decode()
    for secret in ("Ada", "Lovelace", "P1", "p1@", "botulinum", "face", "itches", "900111", "2026-03-23"):
        assert secret not in whole
    assert _told(reader, server).announced == 0
    assert len(server.messages) == 1


def test_who_asks_to_be_phoned_comes_first_and_into_the_subject(empty_office: Office, tmp_path: Path) -> None:
    empty_office.add_clinic()
    for ref in ("P1", "P2", "P3"):
        empty_office.add_patient(ref)
        empty_office.treat(ref)
    reader = invited(empty_office, tmp_path / "out")
    for number, kind in enumerate((AnswerKind.BOOKED, AnswerKind.PHONE_ME, AnswerKind.BOOKED), start=1):
        reader.answers(kind, number)
    before = set((tmp_path / "out").rglob("*.eml"))
    assert reader.receive().announced == 3
    [path] = set((tmp_path / "out").rglob("*.eml")) - before
    notice = message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=policy.default)
    assert str(notice["Subject"]) == "A patient asks for a call"
    text = notice.get_content()
    assert text.index("please phone: 1") < text.index("Already booked: 2")


def test_each_clinic_gets_its_own_notice(empty_office: Office, server: RealServer, tmp_path: Path) -> None:
    for slug in ("riverside", "north"):
        empty_office.add_clinic(slug)
        empty_office.add_patient("P1", slug)
        empty_office.treat("P1", slug=slug)
    reader = invited(empty_office, tmp_path / "out")
    reader.answers(AnswerKind.BOOKED, 1)
    reader.answers(AnswerKind.BOOKED, 2)
    assert _told(reader, server).announced == 2
    assert {message.rcpt_tos[0] for message in server.messages} == {"hello@riverside.example", "hello@north.example"}


def test_who_is_asked_to_stop_leaves_the_other_clinics_to_the_next_delivery(
    empty_office: Office, server: RealServer, tmp_path: Path
) -> None:
    for slug in ("riverside", "elm"):
        empty_office.add_clinic(slug)
        empty_office.add_patient(f"P-{slug}", slug)
        empty_office.treat(f"P-{slug}", slug=slug)
    reader = invited(empty_office, tmp_path / "out")
    for number in (1, 2):
        reader.answers(AnswerKind.CONSULTATION_REQUESTED, number)
    app = app_at(empty_office, to(server))
    assert app.deliver(stop=lambda: bool(server.messages)).announced == 1
    signs: list[int] = []
    assert app.deliver(beat=lambda: signs.append(len(server.messages))).announced == 1
    assert signs


def test_what_was_taken_back_or_closed_or_asks_nothing_is_announced_to_nobody(
    reader: Reader, server: RealServer
) -> None:
    reader.answers(AnswerKind.CONSULTATION_REQUESTED)
    reader.takes_back()
    reader.answers(AnswerKind.BOOKED)
    reader.close(reader.worklist()[0].id)
    reader.answers(AnswerKind.REMIND_LATER, day=day("2026-05-12"))
    reader.stops()
    assert (_told(reader, server).announced, server.messages) == (0, [])


def test_a_notice_that_was_refused_rests_is_tried_again_and_goes_once_only(reader: Reader, server: RealServer) -> None:
    reader.answers(AnswerKind.BOOKED)
    server.script["RCPT"].append("550 5.7.1 not now")
    assert (_told(reader, server).announced, server.messages) == (0, [])
    assert (_told(reader, server).announced, server.messages) == (0, [])  # it rests, and the server is left alone
    reader.office.clock.advance(minutes=2)
    server.script["DOT"].append("451 4.3.0 later")
    assert (_told(reader, server).announced, server.messages) == (0, [])
    reader.office.clock.advance(minutes=5)
    assert _told(reader, server).announced == 1
    assert _told(reader, server).announced == 0


def test_what_a_server_says_of_one_clinics_notice_silences_nobody_else(
    empty_office: Office, server: RealServer, tmp_path: Path
) -> None:
    for slug in ("riverside", "north"):
        empty_office.add_clinic(slug)
        empty_office.add_patient("P1", slug)
        empty_office.treat("P1", slug=slug)
    reader = invited(empty_office, tmp_path / "out")
    reader.answers(AnswerKind.BOOKED, 1)
    reader.answers(AnswerKind.BOOKED, 2)
    server.script["MAIL"].append("550 5.7.1 sender rejected")
    outcome = _told(reader, server)
    assert (outcome.announced, outcome.stopped) == (1, None)


def test_a_notice_that_may_have_arrived_is_not_sent_again(reader: Reader, server: RealServer) -> None:
    reader.answers(AnswerKind.PHONE_ME)
    with RudeServer({"dot": HangUp()}) as rude:
        assert reader.office.deliver(to(rude)).announced == 1
    assert (_told(reader, server).announced, server.messages) == (0, [])


def test_a_server_that_is_not_there_opens_the_breaker_after_three_deliveries_and_is_then_left_alone(
    empty_office: Office, tmp_path: Path
) -> None:
    for slug in ("riverside", "north"):
        empty_office.add_clinic(slug)
        empty_office.add_patient("P1", slug)
        empty_office.treat("P1", slug=slug)
    reader = invited(empty_office, tmp_path / "out")
    reader.answers(AnswerKind.BOOKED, 1)
    reader.answers(AnswerKind.BOOKED, 2)
    with RudeServer({"banner": [HangUp()] * 3}) as rude:  # it works from the fourth connection on
        outcomes = [reader.office.deliver(to(rude)) for _ in range(4)]
        assert [(outcome.announced, outcome.stopped is not None) for outcome in outcomes] == [
            *[(0, False)] * 3,  # one try each, though two clinics wait
            (0, True),
        ]
        reader.office.clock.advance(hours=2)
        assert reader.office.deliver(to(rude)).announced == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notice_is_in_the_clinics_language(reader: Reader, server: RealServer, language: str) -> None:
    reader.office.change_clinic(language=language)
    reader.answers(AnswerKind.WRONG_PERSON)
    assert _told(reader, server).announced == 1
    [notice] = _notices(server)
    said = words("notices", language)
    assert (str(notice["Subject"]), str(notice["Content-Language"])) == (said["subject"], language)
    assert said["wrong_person"].format(count=1) in notice.get_content()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_lacks_a_word_of_the_notice(language: str) -> None:
    english, other = words("notices", "en"), words("notices", language)
    assert english.keys() == other.keys() >= {kind.value for kind in ORDER if kind is not AnswerKind.REMIND_LATER}
    for key, value in other.items():
        fields = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (english[key], value)]
        assert fields[0] == fields[1], key
        assert language == "en" or value != english[key], key
