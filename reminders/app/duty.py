"""What the clock does when it ticks, and whether anybody keeps it.

Invariant: every verb is one service; nothing is decided here.
"""

import datetime as dt
from collections.abc import Callable

from reminders.app.opened import Opened
from reminders.services import heartbeat, rescue, retention
from reminders.services.heartbeat import Pulse


class DutyVerbs(Opened):
    """What the clock does when it ticks, and whether anybody keeps it."""

    def beat(self, worker: str) -> None:
        """Write a sign of life of the process that keeps the clock."""
        heartbeat.beat(self.database, self.clock, worker)

    def stopped(self, worker: str) -> None:
        """Write that it stopped in order."""
        heartbeat.stop(self.database, self.clock, worker)

    def pulse(self) -> Pulse:
        """Return whether anybody keeps the clock."""
        with self._reading() as tx:
            return heartbeat.pulse(tx)

    def rescue(self) -> rescue.Rescued:
        """Take what dead workers left."""
        return rescue.rescue(self.database, self.clock)

    def tidy(self, go_on: Callable[[], bool]) -> retention.Tidied:
        """Drop what is kept no longer."""
        return retention.tidy(self.database, self.clock, self.settings.keep_messages_days, go_on)

    def tidy_once_a_day(self, go_on: Callable[[], bool]) -> retention.Tidied:
        """Drop what is kept no longer, where no clock does it: once a day, and bounded."""
        return retention.tidy_once_a_day(self.database, self.clock, self.settings.keep_messages_days, go_on)

    @property
    def lease(self) -> dt.timedelta:
        """Return how long a worker may keep a reminder without a sign of life."""
        return dt.timedelta(seconds=self.settings.lease_s)
