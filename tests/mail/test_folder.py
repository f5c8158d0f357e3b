"""The folder transport: the same steps as a mail server, and never two files of one message."""

from pathlib import Path

import pytest

from reminders.mail.folder import FolderSession, FolderTransport
from reminders.mail.outcome import Blame, Phase, TransportFault, Verdict
from tests.mail.letters import facts, letter

LETTER = letter(facts())


def hand_over(session: FolderSession, content: bytes = LETTER) -> Verdict:
    session.begin("hello@harbour.example", "odile@home.example")
    assert session.agreed() is None
    assert session.body(content) is None
    session.dot()
    assert session.waits_on() is None
    return session.reply().verdict


def letters(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.eml"))


def test_a_message_becomes_one_file_with_its_very_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "outbox"
    session = FolderTransport(folder).connect()
    assert hand_over(session) is Verdict.ACCEPTED
    session.close()
    (written,) = letters(folder)
    assert written.read_bytes() == LETTER
    assert "odile" not in written.name
    assert [path for path in folder.iterdir() if path.suffix != ".eml"] == []


def test_the_same_message_id_never_makes_two_files(tmp_path: Path) -> None:
    again = letter(facts(window_is_open=True))
    for content in (LETTER, LETTER, again):
        session = FolderTransport(tmp_path).connect()
        assert hand_over(session, content) is Verdict.ACCEPTED
    (written,) = letters(tmp_path)
    assert written.read_bytes() == again


def test_one_session_takes_many_messages(tmp_path: Path) -> None:
    session = FolderTransport(tmp_path).connect()
    for number in range(5):
        assert hand_over(session, letter(facts(), seed=f"{number:016x}")) is Verdict.ACCEPTED
        assert session.reset()
    assert len(letters(tmp_path)) == 5


def test_before_the_dot_there_is_no_letter_and_after_giving_up_nothing_at_all(tmp_path: Path) -> None:
    session = FolderTransport(tmp_path).connect()
    session.begin("hello@harbour.example", "odile@home.example")
    session.body(LETTER)
    assert letters(tmp_path) == []
    session.abandon()
    assert list(tmp_path.iterdir()) == []
    session.dot()
    assert session.reply().verdict is Verdict.LATER
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_attempt_left_is_cleared_by_the_next_one(tmp_path: Path) -> None:
    killed = FolderTransport(tmp_path).connect()
    killed.begin("hello@harbour.example", "odile@home.example")
    killed.body(LETTER)
    other = FolderTransport(tmp_path).connect()
    other.body(letter(facts(), seed="f" * 16))
    assert hand_over(FolderTransport(tmp_path).connect()) is Verdict.ACCEPTED
    assert len(list(tmp_path.iterdir())) == 2
    killed.dot()
    assert killed.reply().verdict is Verdict.LATER
    other.dot()
    assert other.reply().verdict is Verdict.ACCEPTED
    assert len(letters(tmp_path)) == 2


def test_a_file_is_for_its_owner_only(tmp_path: Path) -> None:
    hand_over(FolderTransport(tmp_path / "outbox").connect())
    assert (tmp_path / "outbox").stat().st_mode & 0o077 == 0
    assert letters(tmp_path / "outbox")[0].stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_a_fault_of_the_transport(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TransportFault) as caught:
        FolderTransport(tmp_path / "file" / "outbox").connect()
    assert caught.value.certain


def test_a_folder_that_vanishes_before_the_body_means_later(tmp_path: Path) -> None:
    session = FolderTransport(tmp_path / "outbox").connect()
    (tmp_path / "outbox").rmdir()
    outcome = session.body(LETTER)
    assert outcome is not None
    assert (outcome.verdict, outcome.blame, outcome.phase) == (Verdict.LATER, Blame.TRANSPORT, Phase.BODY)


def test_a_folder_that_vanishes_before_the_dot_means_later(tmp_path: Path) -> None:
    session = FolderTransport(tmp_path / "outbox").connect()
    session.body(LETTER)
    for left in (tmp_path / "outbox").iterdir():
        left.unlink()
    (tmp_path / "outbox").rmdir()
    session.dot()
    assert session.reply().verdict is Verdict.LATER


def test_a_letter_that_cannot_be_replaced_means_later_and_leaves_nothing_behind(tmp_path: Path) -> None:
    hand_over(FolderTransport(tmp_path).connect())
    (written,) = letters(tmp_path)
    written.unlink()
    written.mkdir()
    (written / "inside").touch()
    assert hand_over(FolderTransport(tmp_path).connect()) is Verdict.LATER
    assert list(tmp_path.iterdir()) == [written]


def test_a_message_without_an_identifier_is_never_written(tmp_path: Path) -> None:
    outcome = FolderTransport(tmp_path).connect().body(b"Subject: x\r\n\r\nx\r\n")
    assert outcome is not None
    assert outcome.verdict is Verdict.NEVER
    assert list(tmp_path.iterdir()) == []
