"""Where a delivery runs: this machine's place, and what it shows about the database.

Invariant: a place's count is raised in the commit that lets messages go and remembered outside the database before
anything is let go, so that an older copy of the database is found by counting; the sum of all places' counts finds it
too on a machine that had sent nothing since, and the length of the trail where nobody had. A clone of both, file and
database, on a machine that shares the word it was installed with is not found.
"""

import secrets
from dataclasses import dataclass

from reminders.services.guarding.lock import Because, refusal
from reminders.services.guarding.state_file import Remembered, StateFile, state_file
from reminders.settings import Settings
from reminders.store import audit_trail, installation, places
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
        memories = self.file.others() if remembered is None else [remembered]
        if any(_ahead(tx, memory) for memory in memories):
            return Because.RESTORED
        if found is not None and found.home not in (None, places.home(tx, self.url)):
            return Because.COPIED
        if remembered is None and self._adopted(tx) is None and not self._may_join(tx):
            return Because.COPIED
        return None

    def enter(self, tx: Transaction, remembered: Remembered | None) -> None:
        """Be at home here: take the place that is remembered, or remembered elsewhere, or a new one."""
        name = (remembered or self._adopted(tx) or Remembered(secrets.token_hex(16), 0, 0)).place
        places.join(tx, name)
        known = places.place(tx, name)
        self.here = Remembered(name, known.fences if known else 0, places.total(tx), audit_trail.last_number(tx))
        home = places.home(tx, self.url)
        found = installation.standing(tx)
        if found is not None and found.home != home:
            installation.settle_at(tx, home)

    def _adopted(self, tx: Transaction) -> Remembered | None:
        """Return what another file remembers of this very database: its setting or its name was changed."""
        found = installation.standing(tx)
        if found is None or found.home != places.home(tx, self.url):
            return None
        for memory in self.file.others():
            known = places.place(tx, memory.place)
            if known is not None and known.fences == memory.fences and not _ahead(tx, memory):
                return memory
        return None

    def _may_join(self, tx: Transaction) -> bool:
        """Tell whether a machine that remembers nothing is no sign of a copy: nothing went out, or another vouches."""
        return not places.any_sent(tx) or (sqlite_path(self.url) is None and places.seen_lately(tx))

    def remember(self) -> None:
        """Write down a new place, once the database knows it, or what was seen of all; raises `StateUnwritable`."""
        known = self.file.read()
        if self.here is None or known == self.here:
            return
        if known is None or known.place != self.here.place:
            self.file.begin(self.here)
        else:
            self.file.keep(self.here)

    def pass_fence(self, tx: Transaction) -> None:
        """Count a round in the commit that lets it go.

        Raises `SendingLocked`, and the round is not let go, when another database stands where ours did: its counts
        are lower than what is remembered.
        """
        if self.here is None:
            return
        fences = places.pass_fence(tx, self.here.place)
        total = places.total(tx)
        if fences is None or fences <= self.here.fences or total <= self.here.total:
            raise refusal(Because.RESTORED)
        self._passing = Remembered(self.here.place, fences, total, self.here.trail)

    def passed(self) -> None:
        """Remember the count, after its commit and before anything is let go."""
        if self._passing is not None:
            self.here, self._passing = self._passing, None
            self.file.keep(self.here)


def _ahead(tx: Transaction, memory: Remembered) -> bool:
    """Tell whether more is remembered than this database knows."""
    known = places.place(tx, memory.place)
    if known is None or memory.fences > known.fences or memory.total > places.total(tx):
        return True
    return memory.trail > audit_trail.last_number(tx)


def place_here(tx: Transaction, settings: Settings) -> Place | None:
    """Return this machine's place; None before `init`."""
    known, url = installation.installation(tx), settings.database_url
    if known is None:
        return None
    return Place(state_file(settings, known.installation_id, places.mark(places.home(tx, url))), url)
