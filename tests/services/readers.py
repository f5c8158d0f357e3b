"""Patients who open the links of their messages: what they see there, and what they answer.

Invariant: everything goes through the links that a delivery made; the tokens of an `Office` are counted, not drawn.
"""

from pathlib import Path
from typing import Any

from reminders.domain.answers import AnswerKind
from reminders.mail.folder import FolderTransport
from reminders.services.answering import answer
from reminders.services.answering.answer import PatientPage, Reply, StopPage
from reminders.services.answering.requests import RequestView, close_request, requests
from reminders.services.audit import audit
from reminders.services.deliver import DeliverOutcome
from tests.support.clinic import INVITED_AT, Office


class Reader:
    """Whoever reads the messages of an office, by their number: the first message that was made is 1."""

    def __init__(self, office: Office, folder: Path) -> None:
        self.office, self.folder = office, folder

    def receive(self) -> DeliverOutcome:
        """Let everything that is due go out into the folder."""
        return self.office.deliver(FolderTransport(self.folder))

    def request_token(self, message: int = 1) -> str:
        return f"token-1-{2 * message - 1:05d}-abcdefghijklmnopqrstuvwxyz"

    def stop_token(self, message: int = 1) -> str:
        return f"token-1-{2 * message:05d}-abcdefghijklmnopqrstuvwxyz"

    def page(self, message: int = 1) -> PatientPage:
        with self.office.read() as tx:
            found = answer.request_page(tx, self.request_token(message))
        assert found is not None
        return found

    def answers(self, kind: AnswerKind, message: int = 1, **more: Any) -> PatientPage:  # noqa: ANN401 - the fields of a reply
        with self.office.database.write(self.office.clock.now(), "patient") as tx:
            found = answer.answer(tx, self.request_token(message), Reply(kind, **more))
        assert found is not None
        return found

    def takes_back(self, message: int = 1) -> PatientPage:
        with self.office.database.write(self.office.clock.now(), "patient") as tx:
            found = answer.take_back(tx, self.request_token(message))
        assert found is not None
        return found

    def wants_more(self, message: int = 1) -> PatientPage:
        """Lift what was stopped, from the page of the answers."""
        with self.office.database.write(self.office.clock.now(), "patient") as tx:
            found = answer.resume(tx, self.request_token(message))
        assert found is not None
        return found

    def stop_page(self, message: int = 1) -> StopPage:
        with self.office.read() as tx:
            found = answer.stop_page(tx, self.stop_token(message))
        assert found is not None
        return found

    def stops(self, message: int = 1, *, everything: bool = False) -> StopPage:
        with self.office.database.write(self.office.clock.now(), "patient") as tx:
            found = answer.stop(tx, self.stop_token(message), everything=everything)
        assert found is not None
        return found

    def allows(self, message: int = 1) -> StopPage:
        with self.office.database.write(self.office.clock.now(), "patient") as tx:
            found = answer.allow_again(tx, self.stop_token(message))
        assert found is not None
        return found

    # what staff see and do
    def worklist(self, *, closed: bool = False) -> list[RequestView]:
        with self.office.read() as tx:
            return list(requests(tx, None, closed=closed))

    def close(self, request: int, why: str = "phoned", *, untrue: bool = False) -> None:
        with self.office.write() as tx:
            close_request(tx, request, why, untrue=untrue)

    def findings(self) -> list[str]:
        """Return what the audit has to say."""
        report = audit(self.office.database, self.office.clock, self.office.keys)
        return [found.problem for found in report.findings]


def invited(office: Office, folder: Path) -> Reader:
    """Send the invitation of the patient P1, on 23 March, and whatever else is due then."""
    office.clock.set(INVITED_AT)
    reader = Reader(office, folder)
    assert reader.receive().sent >= 1
    return reader
