"""Takes the working links out of kept messages once nothing more will be sent with them.

Invariant (product rules, The message): a message that was accepted, or whose reminders are all over, keeps no token.
"""

from collections.abc import Sequence

from reminders.mail.compose import blank_tokens
from reminders.store import messages
from reminders.store.database import Transaction
from reminders.store.messages import Blanked


def blank_spent(tx: Transaction, reminder_ids: Sequence[int]) -> None:
    """Blank every spent message of the patients of these reminders; what is blank already is not looked at again."""
    found = messages.spent(tx, reminder_ids)
    messages.blank_contents(tx, [Blanked(spent.id, blank_tokens(spent.content), spent.pattern) for spent in found])
