"""What is done to the database's file: backups that are put back, moves to another disk, clones that try to send.

Invariant: a file is copied by the product's own backup or while nobody has it open; what was sent after a backup is
never forgotten in the books, although the database that was put back knows nothing of it.
"""

import datetime as dt
import random
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from reminders.services.backup import back_up
from reminders.services.guarding.lock import Because, SendingLocked, lock_state
from reminders.services.guarding.place import Place, place_here
from reminders.services.guarding.unlock import Answer, unlock
from reminders.settings import Settings
from tests.simulation.books import Books, Entry, Identity, Page, Person
from tests.simulation.checks import need
from tests.support.clinic import Office

DUE = """
    SELECT c.slug, p.ref, e.line, e.first_day, r.step, r.copy, r.due_at FROM reminders r
    JOIN clinics c ON c.id = r.clinic_id JOIN patients p ON p.id = r.patient_id JOIN episodes e ON e.id = r.episode_id
"""
NEWEST = "SELECT coalesce(max(id), 0) FROM reminders"


@dataclass(slots=True)
class Copies:
    """The file of an office, and what becomes of it."""

    office: Office
    books: Books
    chance: random.Random
    restart: Callable[[], None]
    """Closes the database and begins anew with nothing but the file."""
    kept: tuple[Path, Page] | None = None
    lost: list[tuple[Person, Entry]] = field(default_factory=list)
    """Treatments that a backup did not know, to be recorded again."""
    clones: int = 0

    @property
    def file(self) -> Path:
        return Path(self.office.database.address.removeprefix("sqlite:///"))

    def place(self, url: str | None = None) -> Place | None:
        """Return where a process that begins now would send from."""
        with self.office.read() as tx:
            return place_here(tx, Settings(database_url=url or self.office.database.address))

    def because(self) -> Because | None:
        """Return why sending is locked, None when it is not."""
        with self.office.read() as tx:
            return lock_state(tx).because

    def back_up(self) -> None:
        """Copy everything, in the place of the copy before."""
        target = self.file.with_name("backup.db")
        target.unlink(missing_ok=True)
        back_up(self.office.database, target)
        with self.office.read() as tx:
            newest = int(tx.connection.execute(text(NEWEST)).scalar_one())
        self.kept = target, self.books.page(newest)

    def put_back(self) -> bool:
        """Put the copy's content into the file that is there; False where there is none."""
        if self.kept is None:
            return False
        (copy, page), self.kept = self.kept, None
        self.office.close()
        with self.file.open("r+b") as there:
            there.truncate()
            there.write(copy.read_bytes())
        self.restart()
        self.lost = self.books.go_back(page)
        return True

    def move(self) -> None:
        """Let the same content stand in another file under the name, as on another disk."""
        self.office.close()
        there = self.file.with_name("moved.db")
        shutil.copy(self.file, there)
        there.replace(self.file)
        self.restart()

    def has_home(self) -> bool:
        """Tell whether a delivery was made here yet: before the first one a copy cannot know that it is one."""
        with self.office.read() as tx:
            return bool(tx.connection.execute(text("SELECT count(home) FROM installation")).scalar_one())

    def clone(self, deliver: Callable[[Office, Place | None], object]) -> None:
        """Copy the folder and let the copy deliver as well, which has to lock itself."""
        self.office.close()
        self.clones += 1
        there = self.file.parent / f"clone-{self.clones}"
        there.mkdir()
        for name in (self.file.name, f".{self.file.name}.place"):
            shutil.copy(self.file.with_name(name), there / name)
        clone = Office(f"sqlite:///{there / self.file.name}", self.office.clock, seed=-self.clones)
        try:
            with clone.read() as tx:
                place = place_here(tx, Settings(database_url=clone.database.address))
            locked = False
            with suppress(SendingLocked):
                locked = True
                deliver(clone, place)
                locked = False
            need(1, "a clone on another disk may send", holds=locked)
        finally:
            clone.close()
            shutil.rmtree(there)

    def unlock(self) -> Iterable[Person]:
        """Say how things stand, truthfully; then record some of what a backup did not know once more."""
        because = self.because()
        if because is None:
            return []
        answer = {Because.COPIED: self.chance.choice([Answer.MOVED, Answer.RESTORED])}.get(because, Answer.RESTORED)
        if self.books.doubtful:
            answer = Answer.RESTORED
        elif because in (Because.CLOCK_AHEAD, Because.CLOCK_BEFORE_BUILD):
            answer = Answer.CLOCK
        due = self._due() if answer is Answer.RESTORED else {}
        unlock(self.office.database, self.office.clock, self.place(), answer, "looked")
        if answer is Answer.RESTORED:
            self.books.unlocked(self.office.clock.now(), due)
        return []

    def _due(self) -> dict[Identity, dt.datetime]:
        with self.office.read() as tx:
            rows = tx.connection.execute(text(DUE)).all()
        return {Identity(*one): dt.datetime.fromisoformat(due_at).replace(tzinfo=dt.UTC) for *one, due_at in rows}

    def record_again(self) -> Iterable[Person]:
        """Log a treatment that a backup did not know of, as it was logged before."""
        if not self.lost:
            return []
        person, entry = self.lost[-1]
        if not person.erased:
            self.office.treat(person.ref, str(entry.day), entry.protocol, person.slug, entry=entry.ref)
            person.entries.append(Entry(entry.ref, entry.protocol, entry.day))
        self.lost.pop()
        return [person]
