"""Shows exactly what would be sent: the same facts, templates, checks and bytes as delivery, but nothing stored.

Invariant: preview writes nothing; links in it carry no working token.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from reminders.domain.facts import Reminder
from reminders.domain.grouping import history
from reminders.domain.lifecycle import PENDING, State
from reminders.errors import BadInput
from reminders.mail.address import sender_domain
from reminders.mail.check import complaints, warnings
from reminders.mail.compose import compose, message_id, parts
from reminders.mail.message import MessageFacts, MessageLinks, RenderedMessage
from reminders.mail.render import TemplateBroken
from reminders.services.find import the_patient
from reminders.services.keys import Keys
from reminders.services.letter import identity, message_facts
from reminders.services.overview import Fate, foresee
from reminders.services.signing import signer
from reminders.services.subjects import subject_of
from reminders.store import messages
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction

PLACEHOLDER = "the-link-is-made-when-the-message-is-sent"


class NothingToPreview(BadInput):
    """Patient {ref} has no reminder to come{what}: `reminders why` tells what became of each."""


class NoRecipient(BadInput):
    """Patient {ref} has no address to write to: there is no message to show before `patient set --email`."""


class Renders(Protocol):
    """Turns facts into words: the product's renderer, or one that fills a template not kept yet."""

    def render(self, facts: MessageFacts, links: MessageLinks) -> RenderedMessage:
        """Return the message in words."""
        ...


@dataclass(frozen=True, slots=True)
class Preview:
    """One message as it would go out: its parts, its bytes, and what the check refuses or warns of.

    `stage` is the step it is worded as; `together` are the protocol and the step of whatever else it is about.
    """

    step: str
    stage: str
    together: tuple[tuple[str, str], ...]
    state: str
    due_at: dt.datetime
    subject: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...]
    content: bytes
    complaints: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def preview(
    tx: Transaction, keys: Keys, renderer: Renders, base: str | None, clinic: Clinic, ref: str, step: str | None
) -> Preview:
    """Return the patient's next message, or the one of `step`, as it would be sent at the transaction's moment."""
    patient = the_patient(tx, clinic, ref)
    subject = subject_of(tx, patient.id)
    stored = subject.stored
    chosen = _choose(stored, step)
    if chosen is None:
        raise NothingToPreview(ref=ref, what=f" for the step {step}" if step else "")
    if patient.recipient is None:
        raise NoRecipient(ref=ref)
    planned = [reminder for reminder in stored if reminder.state is State.PLANNED]
    fates = foresee(planned, history(stored, clinic.timezone), subject.room.rules.calendar, tx.now)
    fate = fates.get(chosen.id, Fate())
    about = fate.together or (chosen,)
    shown = message_facts(subject, about, tx.now)
    links = MessageLinks(f"{base}/p/{PLACEHOLDER}", f"{base}/u/{PLACEHOLDER}") if base else MessageLinks()
    rendered = _rendered(renderer, clinic, shown, links)
    name = _name(tx, keys, clinic, patient.id, about, shown.sender_address)
    content = compose(rendered, shown, links, name, fate.goes_out_at or max(tx.now, chosen.wake_at))
    content = signer(tx, keys)(content, sender_domain(shown.sender_address))
    read = parts(content)
    return Preview(
        step=chosen.step,
        stage=shown.stage,
        together=tuple((other.protocol, other.step) for other in about if other.id != chosen.id),
        state=chosen.state,
        due_at=chosen.due_at,
        subject=read.subject,
        text=read.text,
        html=read.html,
        headers=tuple(read.headers),
        content=content,
        complaints=complaints(rendered, shown, links),
        warnings=warnings(rendered, shown, links),
    )


def _rendered(renderer: Renders, clinic: Clinic, shown: MessageFacts, links: MessageLinks) -> RenderedMessage:
    """Return the message in words; a clinic's own template that is broken is named with the clinic it belongs to."""
    try:
        return renderer.render(shown, links)
    except TemplateBroken as broken:
        if shown.own is None or "@" not in str(broken.facts["template"]):
            raise
        raise TemplateBroken(
            template=f"{clinic.slug}/{broken.facts['template']}", problem=broken.facts["problem"]
        ) from None


def _name(tx: Transaction, keys: Keys, clinic: Clinic, patient_id: int, about: Sequence[Reminder], sender: str) -> str:
    """Return the Message-ID: the one kept for these reminders, else the one their claim would make."""
    kept = messages.message_to_reuse(tx, [reminder.id for reminder in about])
    if kept:
        return kept.message_id
    seed = keys.message_seed(
        f"{identity(clinic, patient_id, about[0])}:{messages.count_messages(tx, [patient_id])[patient_id]}"
    )
    return message_id(seed, sender)


def _choose(stored: tuple[Reminder, ...], step: str | None) -> Reminder | None:
    """Return the reminder to show: of the named step the newest episode's, else the next to go out."""
    if step is not None:
        named = [reminder for reminder in stored if reminder.step == step]
        return max(named, key=lambda reminder: (reminder.state in PENDING, reminder.due_at), default=None)
    pending = [reminder for reminder in stored if reminder.state in PENDING]
    return min(pending, key=lambda reminder: reminder.due_at, default=None)
