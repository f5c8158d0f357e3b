"""Everything that is chosen before a simulated world begins, derived from one number and a size.

Invariant: the same seed and size give the same options, and `str` of them says every one.
"""

import dataclasses
import datetime as dt
import random
from dataclasses import dataclass, field, replace

ZONES = (
    *("Europe/London", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Beirut"),
    *("America/Santiago", "Atlantic/Azores", "Pacific/Chatham", "Asia/Kathmandu", "America/St_Johns", "UTC"),
    *("Pacific/Apia", "America/Nuuk", "Asia/Gaza"),
)
WEEKS = ("mon,tue,wed,thu,fri", "mon,tue,wed,thu,fri", "tue,thu", "mon,tue,wed,thu,fri,sat,sun", "sat")
HOURS = ("09:00-17:00", "09:00-17:00", "00:00-24:00", "11:30-15:00", "00:00-03:00", "20:00-24:00")
CODES = (
    *("botulinum-cosmetic", "botulinum-cosmetic", "botulinum-cosmetic-long", "botulinum-migraine", "filler-lips"),
    *("skin-booster", "peel-medium", "botulinum-hyperhidrosis", "microneedling", "botulinum-cervical-dystonia"),
)


@dataclass(frozen=True, slots=True)
class Size:
    """How long, how many patients in all, and how many clinics at most."""

    days: int
    patients: int
    clinics: int


@dataclass(frozen=True, slots=True)
class Place:
    """One clinic as it begins."""

    slug: str
    zone: str
    sending_days: str
    hours: str
    limit: int | None
    country: str | None
    language: str
    unknown_is_customer: bool


@dataclass(frozen=True, slots=True)
class Rates:
    """How often things go wrong: chances per conversation, statement or named point, and times a year."""

    connect: float = 0.0
    later: float = 0.0
    never: float = 0.0
    broken_before: float = 0.0
    silent_accepted: float = 0.0
    silent_lost: float = 0.0
    slow: float = 0.0
    statement: float = 0.0
    crash_at_point: float = 0.0
    crash_at_commit: float = 0.0
    meanwhile: float = 0.0
    outages: float = 0.0
    downtimes: float = 0.0
    jumps: float = 0.0
    put_back: float = 0.0
    moved: float = 0.0
    cloned: float = 0.0
    zones: float = 0.0


@dataclass(frozen=True, slots=True)
class Options:
    """All that a seed decides beforehand."""

    seed: int
    size: Size
    start: dt.datetime
    places: tuple[Place, ...]
    rates: Rates
    staff_a_day: float
    answers_a_day: float
    treated_a_year: float
    round_size: int
    has_pages: bool
    in_earnest: bool
    """Whether letters are rendered by the product's own renderer instead of in brief."""
    longest_downtime: dt.timedelta = field(default=dt.timedelta(days=1))
    crowd: str = ""
    """How a clinic comes by a backlog: an `import` of dozens who are overdue, or dozens due while `off duty`."""
    crowd_size: int = 0

    def __str__(self) -> str:
        """Say every option, one a line."""
        lines = [f"  {one.name} = {getattr(self, one.name)}" for one in dataclasses.fields(self) if one.name != "rates"]
        rates = ", ".join(f"{one.name} {getattr(self.rates, one.name):.4f}" for one in dataclasses.fields(self.rates))
        return "\n".join([*lines, f"  rates = {rates}"])


def derive(seed: int, size: Size, *, in_earnest: bool = False) -> Options:
    """Return the options of a seed."""
    chance = random.Random(f"options {seed}")
    start = dt.datetime(2026, 2, 1, 7, tzinfo=dt.UTC) + dt.timedelta(days=chance.randrange(7 * 365))
    crowd = max(1.0, size.patients / 200)
    later = random.Random(f"later options {seed}")  # of its own: what came later moves no world that has none of it
    return Options(
        seed=seed,
        size=size,
        start=start,
        places=tuple(
            _place(chance, number) for number in range(chance.randint(max(1, size.clinics - 1), size.clinics))
        ),
        rates=replace(_rates(chance), **_later_rates(later)),
        staff_a_day=chance.choice([0.3, 0.8, 1.5]) * crowd,
        answers_a_day=chance.choice([0.1, 0.3]) * crowd,
        treated_a_year=chance.choice([1.5, 3.0]),
        round_size=chance.choice([1, 2, 4, 8]),
        has_pages=chance.random() < 0.85,
        in_earnest=in_earnest,
        longest_downtime=dt.timedelta(hours=chance.choice([1, 24, 24 * 7, 24 * 31, 24 * 365])),
        crowd=later.choice(["", "", "import", "off duty"]),
        crowd_size=later.randint(52, 70),
    )


def _later_rates(chance: random.Random) -> dict[str, float]:
    """Say how often a backup is put back, the database is moved or cloned, and a clinic moves to another zone."""
    return {
        "put_back": chance.choice([0.0, 0.0, 8.0, 24.0]),
        "moved": chance.choice([0.0, 0.0, 8.0]),
        "cloned": chance.choice([0.0, 0.0, 8.0]),
        "zones": chance.choice([0.0, 0.0, 2.0, 12.0]),
    }


def _place(chance: random.Random, number: int) -> Place:
    return Place(
        slug=f"clinic-{number}",
        zone=chance.choice(ZONES),
        sending_days=chance.choice(WEEKS),
        hours=chance.choice(HOURS),
        limit=chance.choice([None, None, None, 1, 3]),
        country=chance.choice([None, None, "GB", "US", "DE"]),
        language=chance.choice(["en", "en", "de", "fr", "es"]),
        unknown_is_customer=chance.random() < 0.3,
    )


def _rates(chance: random.Random) -> Rates:
    """Every kind of fault is off in some worlds, so that none hides another."""

    def sometimes(*values: float) -> float:
        return chance.choice([0.0, *values])

    return Rates(
        connect=sometimes(0.02, 0.2),
        later=sometimes(0.05, 0.3),
        never=sometimes(0.02, 0.1),
        broken_before=sometimes(0.05, 0.2),
        silent_accepted=sometimes(0.05, 0.2),
        silent_lost=sometimes(0.05, 0.2),
        slow=sometimes(0.05, 0.3),
        statement=sometimes(0.0002, 0.002),
        crash_at_point=sometimes(0.002, 0.02),
        crash_at_commit=sometimes(0.001, 0.01),
        meanwhile=sometimes(0.02, 0.1),
        outages=sometimes(3.0, 20.0),
        downtimes=sometimes(2.0, 10.0),
        jumps=sometimes(0.0, 2.0, 10.0),
    )
