"""The lock on sending (whether it is set, setting it, lifting it), and the copy that is kept for a bad day.

Invariant: every verb is one service; nothing is decided here.
"""

from pathlib import Path

from reminders.app.opened import Opened
from reminders.services import backup
from reminders.services.guarding import lock, place, unlock


class GuardingVerbs(Opened):
    """The lock on sending, and the copy that is kept for a bad day."""

    def lock_state(self) -> lock.LockState:
        """Return whether sending is locked and why, and what is to be thought of the clock."""
        with self._reading() as tx:
            return lock.lock_state(tx)

    def lock(self, because: lock.Because) -> bool:
        """Lock sending; False when it was locked already."""
        with self._writing("guard") as tx:
            return lock.lock(tx, because)

    def unlock(self, answer: unlock.Answer, why: str) -> unlock.Unlocked:
        """Lift the lock by a person's word."""
        with self._reading() as tx:
            here = place.place_here(tx, self.settings)
        return unlock.unlock(self.database, self.clock, here, answer, why)

    def back_up(self, target: Path) -> backup.Backup:
        """Copy the whole database to a file that is not there yet."""
        return backup.back_up(self.database, target)
