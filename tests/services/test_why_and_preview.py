"""What makes people trust the product: why, and exactly what would be sent; and a patient's record, kept and erased."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminders.domain.facts import Outcome, Reminder
from reminders.domain.grouping import Past
from reminders.domain.lifecycle import Reason, State
from reminders.domain.protocol import TreatmentClass
from reminders.domain.sending_hours import SendingCalendar
from reminders.domain.window import Window
from reminders.mail.compose import parts
from reminders.mail.folder import FolderTransport
from reminders.mail.outcome import Blame, Trouble
from reminders.services import book, dossier, explain
from reminders.services.erase import erase
from reminders.services.explain import BLAMES, TROUBLES, WHY, Explanation, fault_words
from reminders.services.find import NoSuchPatient, the_clinic
from reminders.services.letter import offered
from reminders.services.overview import foresee, patient_view, steps_of
from reminders.services.preview import NoRecipient, NothingToPreview, Preview, preview
from tests.domain.test_grouping_properties import _deliver as deliver_in_time
from tests.domain.test_grouping_properties import cases
from tests.support.clinic import FOLLOW_UP_AT, INVITED_AT, LINKS, Office, to
from tests.support.facts import day, utc
from tests.support.histories import days
from tests.support.smtp_server import RealServer


@pytest.fixture
def desk(empty_office: Office) -> Office:
    empty_office.add_clinic()
    empty_office.add_patient(known_as="Zoë", family_name="Quillfeather")
    empty_office.treat()
    return empty_office


def ask(desk: Office, ref: str = "P1") -> Explanation:
    with desk.read() as tx:
        return explain.why(tx, the_clinic(tx, "riverside"), ref)


def sentences(desk: Office, ref: str = "P1") -> dict[str, str]:
    return {step.view.step: step.sentence for episode in ask(desk, ref).episodes for step in episode.steps}


def show(desk: Office, step: str | None = None, base: str | None = None) -> Preview:
    with desk.read() as tx:
        return preview(tx, desk.keys, desk.renderer, base, the_clinic(tx, "riverside"), "P1", step)


def test_every_reason_has_its_sentence() -> None:
    assert set(WHY) == set(Reason)
    assert all(sentence.endswith(".") for sentence in WHY.values())


def test_a_planned_step_says_its_day_and_hour_in_the_clinics_zone(desk: Office) -> None:
    assert sentences(desk)["follow_up"] == "Will be sent on Tue 5 May 2026 at 10:00."


def test_what_is_due_on_a_weekend_says_when_delivery_takes_it(desk: Office) -> None:
    desk.clock.set(utc("2026-03-28 12:00"))
    assert "from Mon 30 Mar 2026 at 09:00 on" in sentences(desk)["invitation"]


def test_a_sent_step_says_when(desk: Office, tmp_path: Path) -> None:
    desk.clock.set(INVITED_AT)
    assert desk.deliver(FolderTransport(tmp_path / "out")).sent == 1
    said = sentences(desk)
    assert said["invitation"].startswith("Sent on Mon 23 Mar 2026 at 10:00")
    assert "keeps 14 days" in " ".join(ask(desk).notes)


def test_a_withdrawn_step_says_why_and_what_brings_it_back(desk: Office) -> None:
    desk.change_patient(email="")
    assert "no address" in sentences(desk)["invitation"]
    assert "--email" in sentences(desk)["invitation"]


@pytest.fixture
def two_lines(empty_office: Office) -> Office:
    """A peel's invitation falls due on Friday 22 May, the lips' on Monday 25 May."""
    empty_office.add_clinic()
    empty_office.add_patient()
    empty_office.clock.set(utc("2026-02-10 12:00"))
    empty_office.treat(protocol="peel-medium", on="2026-01-05")
    empty_office.treat(protocol="filler-lips", on="2025-10-08")
    return empty_office


def test_why_foresees_that_a_step_waits_for_another_and_goes_out_with_it(two_lines: Office) -> None:
    two_lines.clock.set(utc("2026-05-22 09:00"))
    found = {(step.view.protocol, step.view.step): step for e in ask(two_lines).episodes for step in e.steps}
    peel, lips = found["peel-medium", "invitation"], found["filler-lips", "invitation"]
    assert peel.sentence == (
        "Due now, but will wait until Mon 25 May 2026 at 10:00 to go out together with filler-lips' invitation."
    )
    assert lips.sentence == "Will be sent on Mon 25 May 2026 at 10:00, together with peel-medium's invitation."
    assert peel.goes_out_at == lips.goes_out_at == utc("2026-05-25 09:00")


def test_why_foresees_the_distance_from_a_message_that_is_still_to_come(empty_office: Office) -> None:
    empty_office.add_clinic()
    empty_office.add_patient()
    empty_office.clock.set(utc("2026-01-26 12:00"))
    empty_office.treat(protocol="botulinum-migraine", on="2026-01-26")
    empty_office.treat(protocol="filler-lips", on="2025-08-06")
    found = {step.view.protocol: step for e in ask(empty_office).episodes for step in e.steps[:1]}
    assert found["botulinum-migraine"].sentence == "Will be sent on Mon 23 Mar 2026 at 10:00."
    assert found["filler-lips"].sentence == (
        "Planned for Mon 23 Mar 2026 at 10:00, but will wait until Mon 6 Apr 2026 at 10:00 because it keeps 14 days "
        "from the message of Mon 23 Mar 2026."
    )
    assert found["filler-lips"].goes_out_at == utc("2026-04-06 09:00")


def test_why_says_of_what_was_put_off_which_message_it_keeps_its_distance_from(desk: Office, tmp_path: Path) -> None:
    desk.clock.set(utc("2026-05-04 09:00"))
    desk.deliver(FolderTransport(tmp_path / "out"))
    desk.clock.set(FOLLOW_UP_AT)
    foreseen = sentences(desk)["follow_up"]
    assert foreseen.startswith("Due now, but will wait until Mon 18 May 2026 at 10:00 because it keeps 14 days")
    assert desk.deliver(FolderTransport(tmp_path / "out")).deferred == 1
    assert sentences(desk)["follow_up"] == (
        "Will be sent on Mon 18 May 2026 at 10:00: it keeps 14 days from the message of Mon 4 May 2026."
    )


def test_why_says_which_missed_appointment_a_step_leaves_a_week_after(desk: Office) -> None:
    number = desk.book("2026-03-20")
    desk.clock.set(utc("2026-03-20 15:00"))
    with desk.write() as tx:
        book.set_outcome(tx, number, Outcome.MISSED)
    assert desk.row().reason is Reason.SNOOZED
    assert sentences(desk)["invitation"] == (
        "Will be sent on Fri 27 Mar 2026 at 10:00: it leaves a week after the appointment missed on Fri 20 Mar 2026."
    )


def test_why_foresees_what_will_come_too_soon(desk: Office, tmp_path: Path) -> None:
    desk.treat(protocol="microneedling", on="2025-12-11")  # its invitation falls due on 27 April
    desk.hold(line="face", until=day("2026-04-28"))
    desk.clock.set(utc("2026-04-27 09:00"))
    desk.deliver(FolderTransport(tmp_path / "out"))
    desk.clock.set(utc("2026-04-28 09:00"))
    desk.plan()
    found = {step.view.protocol: step for e in ask(desk).episodes for step in e.steps[:1]}
    assert found["botulinum-cosmetic"].goes_out_at is None
    assert found["botulinum-cosmetic"].sentence == (
        "Due now, but will expire: it keeps 14 days from the message of Mon 27 Apr 2026, and its days end on "
        "Mon 4 May 2026."
    )


@pytest.mark.parametrize("step", ["invitation", None])
def test_a_preview_shows_the_merged_message_to_the_byte(two_lines: Office, tmp_path: Path, step: str | None) -> None:
    two_lines.clock.set(utc("2026-05-22 09:00"))
    two_lines.deliver(FolderTransport(tmp_path / "out"))
    two_lines.clock.set(utc("2026-05-25 09:00"))
    shown = show(two_lines, step)
    assert len(shown.together) == 1
    assert two_lines.deliver(FolderTransport(tmp_path / "out"), link_base=None).sent == 2
    [sent] = (tmp_path / "out").glob("*.eml")
    assert sent.read_bytes() == shown.content


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(days(0, 300), st.integers(0, 200)), min_size=1, max_size=5))
def test_what_a_message_offers_ends_on_the_real_end_of_a_window_and_not_before_it_opens(
    drawn: list[tuple[dt.date, int]],
) -> None:
    windows = [Window(first, first, first, first + dt.timedelta(days=length)) for first, length in drawn]
    opens, closes = offered(windows)
    assert all(window.opens <= opens for window in windows)
    assert opens <= closes
    assert closes in {window.closes for window in windows}
    if all(window.closes >= opens for window in windows):
        assert closes == min(window.closes for window in windows)


@settings(max_examples=300, deadline=None)
@given(cases())
def test_what_is_foreseen_of_each_reminder_is_what_delivery_in_time_does(
    case: tuple[SendingCalendar, list[Reminder], list[tuple[TreatmentClass, dt.date]]],
) -> None:
    calendar, planned, past = case
    done = deliver_in_time(calendar, planned, past, dt.timedelta(0))
    fates = foresee(planned, [Past(*message) for message in past], calendar, utc("2023-12-01 00:00"))
    assert {n: f.goes_out_at for n, f in fates.items() if f.goes_out_at} == done.sent
    assert {n for n, f in fates.items() if f.ends is Reason.TOO_SOON} == done.too_soon
    assert {n for n, f in fates.items() if f.ends is Reason.TOO_LATE} == done.too_late
    assert all(f.follows for f in fates.values() if f.ends is Reason.TOO_SOON or Reason.SNOOZED in f.waits)


FAULTS = {
    "starttls: tls": "offers no verified TLS",
    "auth: auth": "the user or the password",
    "connect: refused": "refuses the connection",
    "refused": "refuses the connection",
    "connect: dns": "name of the server",
    "banner: timeout": "does not answer in time",
    "never at rcpt (550 5.1.1, address)": "no such mailbox, 550 5.1.1",
    "later at rcpt (451 4.7.1, message)": "put off",
    "unknown at dot (no answer, transport)": "broke off",
}


@pytest.mark.parametrize("short", FAULTS)
def test_a_fault_is_told_in_words(short: str) -> None:
    assert FAULTS[short] in fault_words(short)


def test_every_trouble_and_every_blame_of_a_server_has_its_words() -> None:
    assert set(Trouble) <= set(TROUBLES)
    assert set(BLAMES) == set(Blame)


def test_a_refused_address_needs_a_new_one_before_a_retry(desk: Office, server: RealServer) -> None:
    desk.clock.set(INVITED_AT)
    server.script["RCPT"].append("550 5.1.1 no such user")
    assert desk.deliver(to(server)).failed == 1
    said = sentences(desk)["invitation"]
    assert said.startswith("Failed: there is no mailbox at its address (refused: the server knows no such mailbox")
    assert said.index("--email") < said.index("reminders retry")


def test_an_ended_episode_is_shown_with_what_ended_it(desk: Office) -> None:
    desk.clock.set(utc("2026-04-20 12:00"))
    desk.treat(on="2026-04-20")
    first = ask(desk).episodes[-1]
    assert any("ended on Mon 20 Apr 2026" in note for note in first.notes)
    assert {step.view.step: step.view.reason for step in first.steps} == {
        "invitation": Reason.TREATED_AGAIN,
        "follow_up": Reason.TREATED_AGAIN,
        "last_call": Reason.TREATED_AGAIN,
    }


def test_steps_that_were_too_late_at_entry_are_shown_though_not_stored(desk: Office) -> None:
    desk.add_patient("P2")
    desk.treat("P2", on="2025-07-20")
    with desk.read() as tx:
        shown = steps_of(patient_view(tx, the_clinic(tx, "riverside"), "P2").episodes)
    assert [(view.id is None, view.step, view.state) for view in shown] == [
        (True, "invitation", State.EXPIRED),
        (True, "follow_up", State.EXPIRED),
        (False, "last_call", State.PLANNED),
    ]


def test_a_preview_is_what_delivery_sends_to_the_byte(desk: Office, tmp_path: Path) -> None:
    desk.clock.set(INVITED_AT)
    shown = show(desk)
    assert shown.complaints == ()
    assert desk.deliver(FolderTransport(tmp_path / "out"), link_base=None).sent == 1
    [sent] = (tmp_path / "out").glob("*.eml")
    assert sent.read_bytes() == shown.content


def test_a_preview_stores_nothing_and_its_links_are_no_working_ones(desk: Office) -> None:
    before = desk.rows()
    shown = show(desk, base=LINKS)
    assert desk.rows() == before
    assert "token" not in shown.text
    assert f"{LINKS}/p/" in shown.text


def test_a_step_can_be_named_and_a_first_message_is_worded_as_the_invitation(desk: Office) -> None:
    assert show(desk, "last_call").text == show(desk, "invitation").text
    desk.clock.set(INVITED_AT)
    assert "Zoë" in show(desk, "last_call").text


def test_without_an_address_or_a_reminder_there_is_nothing_to_preview(desk: Office) -> None:
    with pytest.raises(NothingToPreview):
        show(desk, "review")
    desk.change_patient(email="")
    with pytest.raises(NoRecipient):
        show(desk, "invitation")


def test_a_dossier_holds_the_messages_and_the_audit_extract(desk: Office, tmp_path: Path) -> None:
    desk.clock.set(INVITED_AT)
    desk.deliver(FolderTransport(tmp_path / "out"))
    with desk.read() as tx:
        found = dossier.export(tx, the_clinic(tx, "riverside"), "P1")
    assert found["messages"][0]["subject"]
    assert {"claim", "sent"} <= {entry["action"] for entry in found["audit"]}


def test_erasing_leaves_no_byte_of_name_or_address_and_nothing_to_send(desk: Office, tmp_path: Path) -> None:
    desk.clock.set(INVITED_AT)
    desk.deliver(FolderTransport(tmp_path / "out"))
    ended = erase(desk.database, desk.clock, "riverside", "P1")
    assert ended.files_cleaned
    left = b"".join(path.read_bytes() for path in tmp_path.glob("office.db*"))
    assert left.startswith(b"SQLite format 3")
    for gone in (b"Quillfeather", "Zoë".encode(), b"p1@riverside-patients", b"AdaP1"):
        assert gone not in left
    desk.clock.set(FOLLOW_UP_AT)
    assert desk.deliver(FolderTransport(tmp_path / "out")).sent == 0
    with desk.read() as tx, pytest.raises(NoSuchPatient):
        dossier.dossier(tx, the_clinic(tx, "riverside"), "P1")


def test_an_erased_address_is_not_written_to_when_it_is_enrolled_again(desk: Office) -> None:
    erase(desk.database, desk.clock, "riverside", "P1")
    desk.add_patient("P1")
    desk.treat("P1")
    assert desk.states("P1") == {"cancelled opted_out": 3}


def test_what_was_sent_is_kept_in_words_with_its_tokens_blanked(desk: Office, tmp_path: Path) -> None:
    desk.clock.set(INVITED_AT)
    desk.deliver(FolderTransport(tmp_path / "out"))
    [sent] = (tmp_path / "out").glob("*.eml")
    assert "token-1-" in parts(sent.read_bytes()).text
    with desk.read() as tx:
        [kept] = dossier.export(tx, the_clinic(tx, "riverside"), "P1")["messages"]
    assert "token-1-" not in kept["text"]
