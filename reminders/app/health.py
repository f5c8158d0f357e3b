"""Whether the product can work at this moment, for whoever watches over it.

Invariant: it changes nothing, and tells nothing but yes or no.
"""

from reminders.app.opened import Opened
from reminders.errors import RemindersError
from reminders.store.database import check_ready


class HealthVerbs(Opened):
    """Whether the product can work at this moment."""

    def is_ready(self) -> bool:
        """Tell whether the database answers and is this version's."""
        try:
            check_ready(self.database.address)
        except RemindersError:
            return False
        return True
