"""Looking ahead: what would be sent if nothing changed.

Invariant: every verb is one service; nothing is decided here.
"""

from reminders.app.opened import Opened
from reminders.services.foresight import simulate
from reminders.services.foresight.simulate import Progress


class ForesightVerbs(Opened):
    """Looking ahead: what would be sent if nothing changed."""

    def simulate(self, slug: str, days: int, progress: Progress | None = None) -> simulate.Foresight:
        """Say who would receive what on which day; nothing is sent and nothing is stored."""
        return simulate.simulate(self.database, self.clock, self.keys, slug, days, lasting=progress)
