"""Chooses the words of a message: the clinic's own for the protocol, its own for the step, or the shipped ones.

Invariant: a template of another language is never used; a message about several protocols takes the step's.
"""

from collections.abc import Collection

from reminders.mail.message import OwnTemplate
from reminders.store import templates
from reminders.store.database import Transaction
from reminders.store.templates import Place


def template_for(
    tx: Transaction, clinic_id: int, class_name: str, stage: str, protocols: Collection[str], language: str
) -> OwnTemplate | None:
    """Return the clinic's own template for a message about these protocols; None is the shipped one."""
    codes = set(protocols)
    place = Place(class_name, stage, language, codes.pop() if len(codes) == 1 else "")
    found = templates.in_force_for(tx, clinic_id, place)
    return OwnTemplate(found.id, found.version, found.source) if found else None
