"""Shows the message that a template not kept yet would make for one patient.

Invariant: nothing is stored, and the template is filled in a process of its own.
"""

from dataclasses import dataclass

from reminders.mail.message import MessageFacts, MessageLinks, RenderedMessage
from reminders.mail.templates.trial import render_unproven
from reminders.services.keys import Keys
from reminders.services.preview import Preview, preview
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Unproven:
    """Renders like the product's own renderer, but the words of one file, elsewhere."""

    source: str

    def render(self, facts: MessageFacts, links: MessageLinks) -> RenderedMessage:
        """Return the message in words; raises `TemplateBroken`."""
        return render_unproven(self.source, facts, links)


def preview_template(
    tx: Transaction, keys: Keys, base: str | None, clinic: Clinic, ref: str, step: str | None, source: str
) -> Preview:
    """Return the patient's next message, or the one of `step`, as this template would word it."""
    return preview(tx, keys, Unproven(source), base, clinic, ref, step)
