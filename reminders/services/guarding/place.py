"""Where a delivery runs: this machine's place, and what it shows about the database.

Invariant: a place's count is raised in the commit that lets messages go and remembered outside the database before
anything is let go, so that an older copy of the database is found by counting. A clone of both, file and database, on a
machine that shares the word it was installed with is not found.
"""

import secrets
from dataclasses import dataclass

from reminders.services.guarding.lock import Because, refusal
from reminders.services.guarding.state_file import Remembered, StateFile, state_file
from reminders.settings import Settings
from reminders.store import installation, places
from reminders.store.database import Transaction
from reminders.store.engine import sqlite_path


@dataclass(slots=True)
class Place:
    """This machine's place. `here` is what is remembered of it, known once `enter` was called.

    A round's count is remembered once its commit stands: what was tried in vain is no sign of an older copy.
    """

    file: StateFile
    url: str
    here: Remembered | None = None
    _passing: Remembered | None = None

    def suspicion(self, tx: Transaction, remembered: Remembered | None) -> Because | None:
        """Return why nothing may be sent, None when the database is the one that was sent from.

        `remembered` must have been read before the transaction began: a delivery beside this one may go on meanwhile.
        """
        found = installation.standing(tx)
        if remembered is not None:
            known = places.place(tx, remembered.place)
            if known is None or remembered.fences > known.fences:
                return Because.RESTORED
        elif sqlite_path(self.url) is not None and places.any_sent(tx):
            return Because.COPIED
        if found is not None and found.home not in (None, places.home(tx, self.url)):
            return Because.COPIED
        return None

    def enter(self, tx: Transaction, remembered: Remembered | None) -> None:
        """Be at home here: take the place that is remembered, or a new one."""
        self.here = remembered or Remembered(secrets.token_hex(16), 0)
        places.join(tx, self.here.place)
        home = places.home(tx, self.url)
        found = installation.standing(tx)
        if found is not None and found.home != home:
            installation.settle_at(tx, home)

    def remember(self) -> None:
        """Write a new place down, once the database knows it; raises `StateUnwritable`."""
        known = self.file.read()
        if self.here is not None and (known is None or known.place != self.here.place):
            self.file.begin(self.here)

    def pass_fence(self, tx: Transaction) -> None:
        """Count a round in the commit that lets it go.

        Raises `SendingLocked`, and the round is not let go, when another database stands where ours did: its count is
        lower than what is remembered.
        """
        if self.here is None:
            return
        fences = places.pass_fence(tx, self.here.place)
        if fences is None or fences <= self.here.fences:
            raise refusal(Because.RESTORED)
        self._passing = Remembered(self.here.place, fences)

    def passed(self) -> None:
        """Remember the count, after its commit and before anything is let go."""
        if self._passing is not None:
            self.here, self._passing = self._passing, None
            self.file.keep(self.here)


def place_here(tx: Transaction, settings: Settings) -> Place | None:
    """Return this machine's place; None before `init`."""
    known = installation.installation(tx)
    return None if known is None else Place(state_file(settings, known.installation_id), settings.database_url)
