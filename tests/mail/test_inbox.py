"""The embedded inbox: what it receives over its socket, keeps, refuses and bounds."""

from pathlib import Path

from reminders.mail.inbox import Inbox, Mailbox
from reminders.mail.outcome import Blame, Outcome, Verdict
from reminders.mail.transport import hand_over, transport_for

CONTENT = b"Subject: hello\r\nMessage-ID: <1@clinic.example>\r\n\r\n.a line with a dot\r\n"


def _send(inbox: Inbox, recipient: str = "ann@home.example", content: bytes = CONTENT) -> Outcome:
    session = transport_for(inbox.url).connect()
    try:
        return hand_over(session, "desk@clinic.example", recipient, content)
    finally:
        session.abandon()


def test_a_message_is_kept_byte_for_byte_and_numbered(tmp_path: Path) -> None:
    arrived: list[Path] = []
    with Inbox(tmp_path / "inbox") as inbox:
        inbox.arrived = arrived.append
        assert [_send(inbox).verdict for _ in range(2)] == [Verdict.ACCEPTED] * 2
        assert inbox.count == 2
    kept = sorted((tmp_path / "inbox").iterdir())
    assert [path.name for path in kept] == ["0001.eml", "0002.eml"]
    assert arrived == kept
    assert {path.read_bytes() for path in kept} == {CONTENT}


def test_an_address_that_is_unknown_here_is_refused_for_good(tmp_path: Path) -> None:
    with Inbox(tmp_path, {"gone@home.example": Mailbox.UNKNOWN_HERE}) as inbox:
        outcome = _send(inbox, "gone@home.example")
    assert (outcome.verdict, outcome.blame) == (Verdict.NEVER, Blame.ADDRESS)
    assert list(tmp_path.iterdir()) == []


def test_a_cautious_address_takes_the_second_attempt(tmp_path: Path) -> None:
    with Inbox(tmp_path, {"later@home.example": Mailbox.LATER}) as inbox:
        verdicts = [_send(inbox, "later@home.example").verdict for _ in range(2)]
    assert verdicts == [Verdict.LATER, Verdict.ACCEPTED]


def test_a_silent_address_leaves_nobody_able_to_tell(tmp_path: Path) -> None:
    with Inbox(tmp_path, {"silent@home.example": Mailbox.SILENT}) as inbox:
        assert _send(inbox, "silent@home.example").verdict is Verdict.UNKNOWN
        assert _send(inbox).verdict is Verdict.ACCEPTED
    assert len(list(tmp_path.iterdir())) == 2


def test_a_full_inbox_takes_nothing_more(tmp_path: Path) -> None:
    with Inbox(tmp_path, most=1) as inbox:
        verdicts = [_send(inbox).verdict for _ in range(2)]
    assert verdicts == [Verdict.ACCEPTED, Verdict.LATER]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_message_that_is_too_large_is_not_kept(tmp_path: Path) -> None:
    with Inbox(tmp_path, largest=1_000) as inbox:
        assert _send(inbox, content=CONTENT + b"x" * 70 + b"\r\n").verdict is Verdict.ACCEPTED
        assert _send(inbox, content=CONTENT + (b"x" * 70 + b"\r\n") * 20).verdict is Verdict.NEVER
    assert len(list(tmp_path.iterdir())) == 1


def test_nothing_listens_after_it_was_closed(tmp_path: Path) -> None:
    with Inbox(tmp_path) as first, Inbox(tmp_path) as second:
        assert first.port != second.port
        assert first.url == f"smtp://127.0.0.1:{first.port}?tls=never"
