"""The reminders at a glance: what a person at the desk asks for many times a day.

Invariants: every verb is one service; nothing is decided here. What these verbs need loads in a moment.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from reminders.app.opened import Opened
from reminders.services import overview
from reminders.services.find import readable_clinics
from reminders.services.guarding import lock


class LookingVerbs(Opened):
    """The reminders at a glance."""

    @contextmanager
    def list(self, wanted: overview.Filter) -> Iterator[Iterator[overview.ReminderView]]:
        """Open a stream of the reminders that fit; read it inside the context."""
        with self._reading() as tx, closing(overview.list_reminders(tx, wanted)) as found:
            yield found

    def zones(self) -> dict[str, str]:
        """Return the time zone of every clinic whose settings can be read, by slug."""
        with self._reading() as tx:
            return {found.slug: found.timezone for found in readable_clinics(tx)}

    def planning_waits(self) -> bool:
        """Tell whether somebody waits to be planned until the clock can be trusted."""
        with self._reading() as tx:
            return lock.planning_waits(tx)
