"""In which order a delivery looks at patients: clinic by clinic in turns, so that none waits for another's queue.

Invariant: everybody who is due is looked at once, and whoever has to be looked at again after them, a few times.
"""

from collections import Counter, deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from reminders.clock import Clock
from reminders.services.choose import Letter, Visit
from reminders.store import queue
from reminders.store.database import Database

LOOKS_AGAIN = 3
TURN = 8
"""How many patients of a clinic are looked at before the next clinic's: a million of one clinic's delay another's by
no more than eight for each clinic that has something due."""


def any_clinic(_clinic_id: int) -> bool:
    """Say yes: every clinic's mail may go."""
    return True


@dataclass(slots=True)
class Visits:
    """Whom to look at: everybody with something due, then whoever has to be looked at again.

    A patient whose facts keep changing on the way is left to the next delivery after some looks.
    """

    whom: Callable[[], Iterator[Visit | None]]
    passes: Callable[[int], bool] = any_clinic
    """Whether a clinic's mail may go now: where it may not, its patients stand aside, and others go before them."""
    again: deque[Visit] = field(default_factory=deque)
    looks: Counter[Visit] = field(default_factory=Counter)
    front: deque[Visit] = field(default_factory=deque)
    """Who comes before everybody else: what was taken, and then had to wait for another round."""
    _due: Iterator[Visit | None] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the first of those who are due."""
        self._due = self.whom()

    def take(self, most: int) -> list[Visit]:
        """Return the next patients, at most `most`, each once; none when there is nobody."""
        found: dict[Visit, None] = {}
        while len(found) < most and (visit := self._next()) is not None:
            if visit in found:
                self.again.append(visit)
                break
            found[visit] = None
        return list(found)

    def _next(self) -> Visit | None:
        if (visit := self._first(self.front)) is not None:
            return visit
        while (visit := next(self._due, None)) is not None:
            if self.passes(visit[0]):
                return visit
            self.front.append(visit)
        return self._first(self.again)

    def _first(self, line: deque[Visit]) -> Visit | None:
        for _ in range(len(line)):
            if self.passes(line[0][0]):
                return line.popleft()
            line.rotate(-1)
        return None

    def put_back(self, visits: Sequence[Visit]) -> None:
        """Give back, in their order, who was taken and not looked at."""
        self.front.extendleft(reversed(visits))

    def begin(self) -> None:
        """Look at everybody who is due afresh, since what was seen of them was lost."""
        self._due = self.whom()
        self.front.clear()

    def repeat(self, letters: Iterable[Letter], *, always: bool = False) -> None:
        """Look at these patients again, later in this delivery."""
        for letter in letters:
            visit = (letter.clinic_id, letter.patient_id)
            self.looks[visit] += 1
            if always or self.looks[visit] <= LOOKS_AGAIN:
                self.again.append(visit)


def due_in_turns(
    database: Database, clock: Clock, finished: Container[int], passes: Callable[[int], bool] = any_clinic
) -> Iterator[Visit | None]:
    """Yield everybody who is due: a few patients of each clinic by turns, a patient of several pages once for each.

    A clinic that is `finished` on the way is left; one whose mail may not go just now is passed over. None says that
    there are only such: asked again later, it goes on.
    """
    passed_over = 0
    with database.read(clock.now()) as tx:
        lines = deque(_Line(clinic_id) for clinic_id in queue.clinics_with_due(tx))
    while lines:
        if passed_over == len(lines):
            passed_over = 0
            yield None
        line = lines.popleft()
        may_go = passes(line.clinic_id)
        if line.clinic_id in finished or not line.goes_on(database, clock):
            passed_over = 0
            continue
        lines.append(line)
        passed_over = 0 if may_go else passed_over + 1
        if may_go:
            yield from line.turn()


@dataclass(slots=True)
class _Line:
    """The queue of one clinic, read a page at a time."""

    clinic_id: int
    page: deque[int] = field(default_factory=deque)
    after: tuple[object, int] | None = None
    at_end: bool = False

    def goes_on(self, database: Database, clock: Clock) -> bool:
        """Tell whether somebody is left."""
        if not self.page and not self.at_end:
            with database.read(clock.now()) as tx:
                found = queue.due_patients(tx, self.clinic_id, self.after)
            self.page.extend(found.patients)
            self.after, self.at_end = found.last, found.last is None
        return bool(self.page)

    def turn(self) -> list[Visit]:
        """Return the next few."""
        return [(self.clinic_id, self.page.popleft()) for _ in range(min(TURN, len(self.page)))]
