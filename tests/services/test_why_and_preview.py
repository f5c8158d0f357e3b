"""What makes people trust the product: why, and exactly what would be sent; and a patient's record, kept and erased."""

from pathlib import Path

import pytest

from reminders.domain.lifecycle import Reason, State
from reminders.mail.compose import parts
from reminders.mail.folder import FolderTransport
from reminders.services import dossier, explain
from reminders.services.erase import erase
from reminders.services.explain import WHY, Explanation
from reminders.services.find import NoSuchPatient, the_clinic
from reminders.services.overview import patient_view, steps_of
from reminders.services.preview import NoRecipient, NothingToPreview, Preview, preview
from tests.support.clinic import FOLLOW_UP_AT, INVITED_AT, LINKS, Office
from tests.support.facts import utc


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
