"""Whether the product can work at this moment, for whoever watches over it.

Invariant: it changes nothing, and tells nothing but yes or no.
"""

from reminders.app.opened import Opened
from reminders.errors import RemindersError
from reminders.services import heartbeat
from reminders.services.guarding.lock import lock_state
from reminders.store.database import check_ready


class HealthVerbs(Opened):
    """Whether the product can work at this moment."""

    def is_ready(self) -> bool:
        """Tell whether the database answers, is this version's, and nothing locks sending."""
        try:
            check_ready(self.database.address)
            with self._reading() as tx:
                return lock_state(tx).because is None
        except RemindersError:
            return False

    def connect_anew(self) -> None:
        """Let go of every connection: whoever needs one opens a new one."""
        self.database.connect_anew()

    def is_anybody_ticking(self) -> bool:
        """Tell whether the clock ticks where one should; yes where nobody began one, and where it cannot be known."""
        try:
            with self._reading() as tx:
                return not heartbeat.pulse(tx).dead
        except RemindersError:
            return True
