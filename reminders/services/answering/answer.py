"""What a patient's own pages show and record: the answers given through the links of a message.

Invariants: looking changes nothing; an answer is a fact that the plan obeys in the transaction that records it; through
one link one answer stands, beside which messages may be stopped: that is lifted by the patient's word alone, never by
another answer. A note that staff have not read goes on with the answer that takes its answer's place.
"""

from reminders.domain.answers import AnswerKind
from reminders.services.answering.asked import Asked, about, asked
from reminders.services.answering.patient_page import (
    Answered,
    PatientPage,
    StopPage,
    last_answer,
    offered,
    page_of,
    stop_page_of,
    words_to_keep,
)
from reminders.services.answering.reply import Reply, ReplyRefused, checked
from reminders.services.answering.stopping import not_this_person, readers, stop_writing, write_again
from reminders.services.plan import plan_patients
from reminders.store import answers
from reminders.store.answers import ABOUT_WRITING, Said, StoredAnswer, Words, words_of
from reminders.store.database import Transaction
from reminders.store.links import REQUEST, STOP

__all__ = [
    "Answered",
    "PatientPage",
    "Reply",
    "ReplyRefused",
    "StopPage",
    "allow_again",
    "answer",
    "request_page",
    "resume",
    "stop",
    "stop_page",
    "take_back",
]

ASKED_ANEW = frozenset({AnswerKind.CONSULTATION_REQUESTED, AnswerKind.PHONE_ME, AnswerKind.BOOKED})
"""Once staff have dealt with one of these, the same answer is a new one."""


def request_page(tx: Transaction, token: str) -> PatientPage | None:
    """Return what the page behind a request link shows; None where it is unknown, older than 60 days or erased."""
    found = asked(tx, token, REQUEST)
    return page_of(tx, found) if found else None


def answer(tx: Transaction, token: str, reply: Reply) -> PatientPage | None:
    """Record an answer in place of the one before through this link, and plan; raises `ReplyRefused`.

    The same answer twice is recorded once. To stop messages is no answer to the others, and leaves them standing. A
    former address may say no more than that it wants no messages: its reader may be somebody else by now.
    """
    found = asked(tx, token, REQUEST)
    if found is None:
        return None
    if found.former and reply.kind not in ABOUT_WRITING:
        raise ReplyRefused(field="kind", problem="not_offered")
    topic = about(tx, found)
    said = checked(reply, offered(tx, found, topic))
    if said.kind is AnswerKind.STOPPED:
        changed = stop_writing(tx, found, everything=said.everything)
    else:
        changed = _record(tx, found, said, topic.lines)
    if changed:
        plan_patients(tx, found.clinic, readers(tx, found))
    return request_page(tx, token)


def take_back(tx: Transaction, token: str) -> PatientPage | None:
    """Withdraw what was answered last through this link, and plan; a stop stands until `resume`."""
    found = asked(tx, token, REQUEST)
    if found is None:
        return None
    last = last_answer(found)
    if last is not None:
        _withdraw(tx, found, last)
        plan_patients(tx, found.clinic, readers(tx, found))
    return request_page(tx, token)


def resume(tx: Transaction, token: str) -> PatientPage | None:
    """Lift what the patient stopped, as `allow_again` does, asked for on the page of the answers."""
    found = asked(tx, token, REQUEST)
    if found is None:
        return None
    if write_again(tx, found, AnswerKind.STOPPED):
        plan_patients(tx, found.clinic, readers(tx, found))
    return request_page(tx, token)


def stop_page(tx: Transaction, token: str) -> StopPage | None:
    """Return what the page behind a stop link shows; None where it is unknown or erased."""
    found = asked(tx, token, STOP)
    return stop_page_of(tx, found) if found else None


def stop(tx: Transaction, token: str, *, everything: bool) -> StopPage | None:
    """Stop the message's class, or all messages of the clinic; done twice it is done once."""
    found = asked(tx, token, STOP)
    if found is None:
        return None
    if stop_writing(tx, found, everything=everything):
        plan_patients(tx, found.clinic, readers(tx, found))
    return stop_page(tx, token)


def allow_again(tx: Transaction, token: str) -> StopPage | None:
    """Lift what the patient stopped through such links; never staff's opt-out, a bounce, a complaint or an erasure."""
    found = asked(tx, token, STOP)
    if found is None:
        return None
    if write_again(tx, found, AnswerKind.STOPPED):
        plan_patients(tx, found.clinic, readers(tx, found))
    return stop_page(tx, token)


def _record(tx: Transaction, found: Asked, said: Reply, lines: frozenset[str]) -> bool:
    """Store an answer in place of the one before; False when it stands already.

    Staff read the words that stay even where they need not act on the answer itself.
    """
    before, kept = last_answer(found), words_to_keep(found)
    words = Words(said.note or kept.note, said.phone or kept.phone)
    if before is not None:
        if _same(found, before, said, words):
            return False
        _withdraw(tx, found, before)
    if said.kind is AnswerKind.WRONG_PERSON:
        not_this_person(tx, found, words)
        return True
    stored = Said(
        kind=said.kind,
        message_pk=found.link.message_pk,
        lines=lines,
        day=said.day,
        practitioner_id=said.practitioner_id,
        contact_by=said.contact_by,
        contact_when=said.contact_when,
        asks_staff=said.kind is not AnswerKind.REMIND_LATER or bool(words.note),
    )
    answers.add_answer(tx, found.patient, stored, words)
    return True


def _same(found: Asked, before: StoredAnswer, said: Reply, words: Words) -> bool:
    """Tell whether a reply says what stands already, and nobody has dealt with it as a request of its own."""
    if before.closed_at is not None and before.kind in ASKED_ANEW:
        return False
    written = words_of(found.patient.notes).get(before.id, Words())
    known = (before.kind, before.day, before.practitioner_id, before.contact_by, before.contact_when, written)
    return known == (said.kind, said.day, said.practitioner_id, said.contact_by, said.contact_when, words)


def _withdraw(tx: Transaction, found: Asked, before: StoredAnswer) -> None:
    if before.kind in ABOUT_WRITING:
        write_again(tx, found, before.kind)
    else:
        answers.withdraw_answers(tx, [before])
