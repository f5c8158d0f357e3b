"""What patients answer through the links of their messages, and what staff do about it.

Invariant: every verb is one service; nothing is decided here. The trail knows the patient's own acts as `patient`.
"""

from reminders.app.opened import Opened
from reminders.services.answering import answer as answering
from reminders.services.answering import requests as worklist
from reminders.services.answering.answer import PatientPage, Reply, StopPage
from reminders.services.answering.requests import RequestView

_PATIENT = "patient"


class AnswerVerbs(Opened):
    """What patients answer, and the staff's list of it."""

    def patient_page(self, token: str) -> PatientPage | None:
        """Return what a patient's page shows; None for a token that is unknown, old or erased."""
        with self._reading() as tx:
            return answering.request_page(tx, token)

    def answer(self, token: str, reply: Reply) -> PatientPage | None:
        """Record a patient's answer and replan them."""
        with self._writing(_PATIENT) as tx:
            return answering.answer(tx, token, reply)

    def take_back(self, token: str) -> PatientPage | None:
        """Take a patient's answer back and replan them."""
        with self._writing(_PATIENT) as tx:
            return answering.take_back(tx, token)

    def resume(self, token: str) -> PatientPage | None:
        """Lift what a patient stopped, from the page of the answers."""
        with self._writing(_PATIENT) as tx:
            return answering.resume(tx, token)

    def stop_page(self, token: str) -> StopPage | None:
        """Return what the page behind a stop link shows."""
        with self._reading() as tx:
            return answering.stop_page(tx, token)

    def stop(self, token: str, *, everything: bool) -> StopPage | None:
        """Stop a message's class, or all of the clinic's messages."""
        with self._writing(_PATIENT) as tx:
            return answering.stop(tx, token, everything=everything)

    def allow_again(self, token: str) -> StopPage | None:
        """Lift what a patient stopped."""
        with self._writing(_PATIENT) as tx:
            return answering.allow_again(tx, token)

    def requests(self, slug: str | None, *, closed: bool) -> tuple[RequestView, ...]:
        """Return what patients ask of staff, of one clinic or of all; `closed` ones too."""
        with self._reading() as tx:
            return worklist.requests(tx, slug, closed=closed)

    def close_request(self, answer_id: int, why: str, *, untrue: bool = False) -> RequestView:
        """Close what a patient asked, or withdraw what does not hold, and replan them."""
        with self._writing() as tx:
            return worklist.close_request(tx, answer_id, why, untrue=untrue)
