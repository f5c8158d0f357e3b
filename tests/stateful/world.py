"""Two clinics, a mail server with moods, and a ledger that trusts neither: what the state machine plays with.

Invariant: the ledger is kept from what was typed in and what the server accepted alone; no code of the product judges.
"""

import datetime as dt
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from reminders.domain.lifecycle import State
from reminders.errors import RemindersError
from reminders.services.audit import audit
from reminders.services.explain import why
from reminders.services.find import the_clinic
from reminders.services.keys import Keys
from reminders.services.points import Point
from reminders.store.database import create_or_upgrade
from reminders.store.listing import ListedReminder
from tests.support.clinic import LEASE, PEPPER, FakeClock, Office
from tests.support.facts import utc
from tests.support.post import Letter, Post

SLUGS = ("riverside", "elm")
BEGAN = utc("2026-01-05 12:00")
LONDON = ZoneInfo("Europe/London")
MAY_HAVE_GONE = frozenset({State.SENT, State.BOUNCED, State.UNKNOWN})
Person = tuple[str, str]
"""A clinic's slug, and the patient's ref."""


class Killed(BaseException):
    """The process is gone."""


def founded(url: str) -> None:
    """Make an installation with both clinics."""
    create_or_upgrade(url)
    office = Office(url, FakeClock(BEGAN))
    office.install()
    for slug in SLUGS:
        office.add_clinic(slug)
    office.close()


@dataclass(slots=True)
class Ledger:
    """What was typed in that forbids a message, and which messages a person let go a second time."""

    never: dict[Person, set[str]] = field(default_factory=dict)
    """Why nobody may write: died, denied, stopped, erased."""
    away: dict[Person, dt.date] = field(default_factory=dict)
    """Until which day nobody may write; the last day there is where only a person ends it."""
    booked: dict[int, tuple[Person, dt.date]] = field(default_factory=dict)
    again: Counter[str] = field(default_factory=Counter)
    settled: set[str] = field(default_factory=set)
    """Messages of which a person said that they were sent."""
    released: set[int] = field(default_factory=set)
    closed: set[tuple[str, dt.date]] = field(default_factory=set)

    def forbids(self, person: Person, today: dt.date) -> str | None:
        """Say why nobody may write to somebody on a day, None where they may."""
        if self.never.get(person):
            return ", ".join(sorted(self.never[person]))
        if today < self.away.get(person, dt.date.min):
            return "held"
        if any(today < day + dt.timedelta(days=7) for who, day in self.booked.values() if who == person):
            return "booked"
        return None


class World:
    """A database of its own, and everything that is compared with it."""

    def __init__(self, template: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="reminders-machine-"))
        self.office = Office(f"sqlite:///{shutil.copy(template, self.folder / 'world.db')}", FakeClock(BEGAN))
        self.tokens: list[str] = []
        self.office.keys = Keys(PEPPER, self._token)
        self.post = Post(self.office.clock.now)
        self.ledger = Ledger()
        self.people: list[Person] = []
        self.seen: dict[int, ListedReminder] = {}
        self.read_letters = 0
        self.steps = 0

    def close(self) -> None:
        self.office.close()
        shutil.rmtree(self.folder)

    def _token(self) -> str:
        self.tokens.append(f"token-{len(self.tokens):05d}-of-a-link-of-the-machine")
        return self.tokens[-1]

    @property
    def today(self) -> dt.date:
        """Return the clinics' day."""
        return self.office.clock.now().astimezone(LONDON).date()

    def deliver(self, round_size: int, fatal: Point | None = None) -> None:
        """Deliver; where a point is fatal, die there, and let the dead worker's lease run out."""

        def observe(point: Point) -> None:
            if point is fatal:
                raise Killed

        try:
            self.office.deliver(self.post, round_size, observe=observe)
        except Killed:
            self.office.clock.advance(seconds=LEASE.total_seconds() + 1)
        except RemindersError as refused:
            assert refused.__class__.__name__ in {"ClockAhead", "ClockBeforeBuild"}, refused  # noqa: PT017

    # the promises
    def check(self) -> None:
        """Compare everything with the ledger; every few steps, let the audit look as well."""
        rows = self.office.rows()
        self._identities(rows)
        self._nothing_lost(rows)
        for letter in self._to_patients[self.read_letters :]:
            self._allowed(letter, rows)
        self._never_twice(rows)
        self.read_letters = len(self._to_patients)
        self.seen = {row.id: row for row in rows}
        self._explained(rows)
        self.steps += 1
        if self.steps % 5 == 0:
            self.audit()

    def audit(self, *, at_rest: bool = False) -> None:
        """Let the audit look; it has nothing to say, but for what only waits for the next delivery."""
        report = audit(self.office.database, self.office.clock, self.office.keys)
        assert [one for one in report.findings if at_rest or "`reminders deliver`" not in one.advice] == []

    def _identities(self, rows: list[ListedReminder]) -> None:
        found = Counter((row.clinic, row.patient_id, row.episode_id, row.step, row.copy) for row in rows)
        assert [identity for identity, count in found.items() if count > 1] == []

    def _nothing_lost(self, rows: list[ListedReminder]) -> None:
        """No row ever goes, no end is ever undone, and `sent` means accepted."""
        now = {row.id: row for row in rows}
        assert self.seen.keys() <= now.keys()
        for key, before in self.seen.items():
            if before.state in (State.BOUNCED, State.EXPIRED):
                assert now[key].state is before.state
            if before.state is State.SENT:
                assert now[key].state in (State.SENT, State.BOUNCED)
            if before.state is State.HELD and now[key].state in (*MAY_HAVE_GONE, State.CLAIMED):
                assert key in self.ledger.released, f"{key} was held, and went out without a word"
        taken = {letter.message_id for letter in self._to_patients}
        for row in rows:
            if row.state is State.SENT:
                assert row.message_id in taken | self.ledger.settled

    @property
    def _to_patients(self) -> list[Letter]:
        """Return what was accepted, but for the notices to the clinics themselves."""
        return [letter for letter in self.post.letters if not letter.recipient.startswith("hello@")]

    def _never_twice(self, rows: list[ListedReminder]) -> None:
        taken = Counter(letter.message_id for letter in self._to_patients)
        assert [name for name, count in taken.items() if count > 1 + self.ledger.again[name]] == []
        gone = {row.message_id for row in rows if row.state in (*MAY_HAVE_GONE, State.HANDED_OVER)}
        assert taken.keys() <= gone | set(self.ledger.again)

    def _allowed(self, letter: Letter, rows: list[ListedReminder]) -> None:
        """Compare one letter with the hours, the days of its reminders, and what was typed in before it left."""
        at = letter.at.astimezone(LONDON)
        carried = [row for row in rows if row.message_id == letter.message_id]
        assert carried, "a letter that no reminder tells of"
        slug = carried[0].clinic
        assert at.weekday() < 5, at
        assert dt.time(9) <= at.time() < dt.time(17), at
        assert (slug, at.date()) not in self.ledger.closed
        assert len({row.patient_id for row in carried}) == 1
        assert letter.recipient.endswith(f"@{slug}-patients.example")
        assert f"hello@{slug}.example".encode() in letter.content
        assert all(f"hello@{other}.example".encode() not in letter.content for other in SLUGS if other != slug)
        assert b"Your consultation" in letter.content
        assert b'class=3D"consultation"' in letter.content
        for row in carried:
            if row.handed_over_at == letter.at:
                assert row.due_at <= letter.at < row.not_after
        assert self.ledger.forbids((slug, carried[0].patient), at.date()) is None

    def _explained(self, rows: list[ListedReminder]) -> None:
        """Let `why` explain somebody, another one at every step: every stored reminder has a sentence."""
        if not self.people:
            return
        slug, ref = self.people[self.steps % len(self.people)]
        if "erased" in self.ledger.never.get((slug, ref), ()):
            return
        with self.office.read() as tx:
            told = why(tx, the_clinic(tx, slug), ref)
        steps = [step for episode in told.episodes for step in episode.steps]
        assert all(step.sentence for step in steps)
        explained = {step.view.id for step in steps}
        assert {row.id for row in rows if (row.clinic, row.patient) == (slug, ref)} <= explained
