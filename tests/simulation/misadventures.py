"""What befalls an installation from outside: outages, downtime, jumps, crowds, and what is done to its file.

Invariant: what happened is entered in the books as the world knows it, whatever the database was made to forget.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reminders.services import deliver as delivering
from reminders.services.guarding.place import Place
from tests.simulation.checks import Broken
from tests.simulation.options import Rates
from tests.simulation.server import Server
from tests.support.clinic import Office

if TYPE_CHECKING:
    from tests.simulation.world import World

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


@dataclass(slots=True)
class Misadventures:
    """Everything that befalls a world."""

    world: "World"
    unlock_at: dt.datetime | None = None
    """When staff look into why sending is locked."""

    def rhythms(self) -> dict[str, tuple[float, Callable[[], None]]]:
        """Return what befalls it, and how often a day."""
        world, rates = self.world, self.world.options.rates
        return {
            "everyone": (1 / 30, world.look_at_everyone),
            "zone": (rates.zones / 365, lambda: world.do("zone", world.staff.zone)),
            "back up": (rates.put_back / 365, self.back_up),
            "put back": (rates.put_back / 365, self.put_back),
            "move": (rates.moved / 365, self.move),
            "clone": (rates.cloned / 365, self.clone),
        }

    def look_into_it(self) -> dt.datetime:
        """Let staff be told that sending is locked; return when they look into it."""
        if self.unlock_at is None:
            self.unlock_at = self.world.clock.now() + self.world.later.choice([1, 20, 100]) * HOUR
        return self.unlock_at

    def unlock_in_time(self) -> None:
        """Unlock if the time for it has come."""
        if self.unlock_at is not None and self.world.clock.now() >= self.unlock_at:
            self.unlock()

    def begin_outage(self) -> None:
        self.world.outage = self.world.clock.now() + self.world.chance.choice([0.1, 1.0, 30.0, 100.0]) * dt.timedelta(
            hours=1
        )
        self.world.note(f"the mail server is down until {self.world.outage:%F %R}")

    def downtime(self) -> None:
        length = self.world.chance.random() ** 3 * self.world.options.longest_downtime
        self._off_duty(length)

    def _off_duty(self, length: dt.timedelta) -> None:
        self.world.note(f"nothing runs for {length}")
        self.world.pass_time(length)
        self.world.behind = True

    def jump(self) -> None:
        length = dt.timedelta(minutes=self.world.chance.choice([-120, -61, -3, 3, 61, 26 * 60]))
        self.world.note(f"the clock jumps by {length}")
        self.world.pass_time(length)
        self.world.behind = True

    def crowd(self) -> None:
        """Let a clinic come by a backlog: dozens who are overdue, or who fall due while nothing runs."""
        off_duty = self.world.options.crowd == "off duty"
        with self.world.calm():
            people = list(self.world.staff.crowd(*(69, 75) if off_duty else (93, 105)))
            self.world.checks.patients(one.id for one in people)
            self.world.checks.look_for_a_backlog()
        self.world.note(f"crowd of {people[0].slug}")
        if off_duty:
            self._off_duty(25 * DAY)

    def back_up(self) -> None:
        with self.world.calm():
            self.world.copies.back_up()
        self.world.note("backup")

    def put_back(self) -> None:
        if not self.world.copies.put_back():
            return
        self.world.checks.forget()
        self.world.staff.forget()
        self.world.behind = True
        self.world.note(f"put_back {len(self.world.books.gone)} reminders are out and not known")

    def move(self) -> None:
        self.world.copies.move()
        self.world.note("moved")

    def clone(self) -> None:
        def never(_sender: str, _recipient: str, name: str, _content: bytes) -> None:
            raise Broken(f"promise 1: {name} left from a clone")

        def send(office: Office, place: Place | None) -> None:
            server = Server(self.world.later, Rates(), never, self.world.pass_time, lambda: False)
            delivering.deliver(self.world.worker_on(office, server, place), "a clone", 1)

        with self.world.calm():
            ready = self.world.copies.has_home()
        if ready:
            self.world.copies.clone(send)
            self.world.note("clone")
        self.world.restart()

    def unlock(self) -> None:
        self.unlock_at = None
        with self.world.calm():
            because = self.world.copies.because()
        if because is None:
            return
        self.world.note("locked")
        self.world.do("unlock", self.world.copies.unlock)
        self.world.checks.exercised[1] += 1
        for _ in range(min(3, len(self.world.copies.lost))):
            self.world.do("record again", self.world.copies.record_again)
