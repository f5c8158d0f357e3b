"""Fills a database through the product's own commands: clinics, and patients who each have an invitation due today.

Invariant: nothing is the same for everybody: clinics, practitioners and protocols take turns, so that what the product
prepares once it prepares as often as a real chain would make it.
"""

import csv
import datetime as dt
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import make_url

from benchmarks.programs import alone, environment
from reminders.clock import SystemClock
from reminders.domain.window import allowed_days, window_of
from reminders.services.catalogue_file import starter_catalogue

REMINDERS = (sys.executable, "-m", "reminders.main")
KEY = "a key that only benchmarks know and nobody else"
FIRST = "P"
"""What the numbers of the patients begin with who are seeded first."""

PROTOCOLS = ("botulinum-cosmetic", "filler-lips", "skin-booster")
PRACTITIONERS = ("Dr Amara Okafor", "Dr Jo Lind", "Nurse Lee Moreau", "Dr Ines Sato")
COLUMNS = ("patient_ref", "given_name", "family_name", "email", "consent", "treated_on", "protocol", "practitioner")
GIVEN = ("Ada", "Anna", "Chloé", "Dilan", "Emma", "Farah", "Grace", "Hanna", "Ines", "Jana", "Kim", "Łucja", "Mona")
FURTHEST_BACK = 800


def settings(url: str, folder: Path, **given: str) -> dict[str, str]:
    """Return the environment in which the product works on the database at `url`."""
    own = {
        "REMINDERS_DATABASE_URL": url,
        "REMINDERS_SECRET_KEY": KEY,
        "REMINDERS_BASE_URL": "https://reminders.clinic.example",
        "REMINDERS_STATE": str(state_of(url, folder)),
    }
    return environment({**own, **given})


def state_of(url: str, folder: Path) -> Path:
    """Return where the product remembers what it sent from this database: a copy of one is a machine of its own.

    Otherwise a second copy would be taken for a backup that was put back, and sending from it would be locked.
    """
    return folder / f"state-{Path(str(make_url(url).database)).stem}"


def seeded(url: str, folder: Path, patients: int, clinics: int) -> str:
    """Make an installation with `patients` due today, shared among `clinics`; return its URL."""
    env = settings(url, folder)
    alone([*REMINDERS, "init"], env, folder)
    for number in range(clinics):
        alone([*REMINDERS, "clinic", "add", *_clinic(number)], env, folder)
    add_due(url, folder, patients, clinics, FIRST)
    return url


def add_due(url: str, folder: Path, patients: int, clinics: int, prefix: str) -> None:
    """Import `patients` who are due today, their numbers beginning with `prefix`."""
    env, days = settings(url, folder), treated_days()
    for clinic in range(clinics):
        share = range(clinic, patients, clinics)
        if not share:
            continue
        path = folder / f"patients{clinic}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(_rows(share, prefix, days))
        alone([*REMINDERS, "import", str(path), "--clinic", slug(clinic), "--json"], env, folder)
        path.unlink()


def slug(number: int) -> str:
    """Return what a clinic is called on the command line."""
    return f"clinic-{number}"


def treated_days() -> list[tuple[str, dt.date]]:
    """Return the protocols, each with the day on which a treatment has its invitation due today."""
    today, known = SystemClock().now().date(), {protocol.code: protocol for protocol in starter_catalogue()}
    found = []
    for code in PROTOCOLS:
        protocol = known[code]
        for back in range(FURTHEST_BACK):
            day = today - dt.timedelta(days=back)
            if allowed_days(protocol, window_of(protocol, day))[0].first == today:
                found.append((code, day))
                break
    return found


def _rows(share: Sequence[int], prefix: str, days: Sequence[tuple[str, dt.date]]) -> Iterator[tuple[str, ...]]:
    for number in share:
        code, day = days[number % len(days)]
        name, family = GIVEN[number % len(GIVEN)], f"Family {number}"
        email = f"{prefix.lower()}{number}@patients.example"
        who = PRACTITIONERS[number // len(days) % len(PRACTITIONERS)]
        yield (f"{prefix}{number}", name, family, email, "granted", str(day), code, who)


def _clinic(number: int) -> list[str]:
    own = f"clinic-{number}.example"
    given = {
        "--name": f"Harbour Clinic {number}",
        "--timezone": "UTC",
        "--email": f"hello@{own}",
        "--phone": f"+44 20 7946 0{number:03}",
        "--booking-url": f"https://{own}/book",
        "--address": f"{number + 1} High Street, London",
        "--jurisdiction": "uk",
        "--sending-days": "mon,tue,wed,thu,fri,sat,sun",
        "--sending-hours": "00:00-24:00",
        "--send-at": "00:00",
    }
    listed = [word for pair in given.items() for word in pair]
    return [slug(number), *listed, *(word for name in PRACTITIONERS for word in ("--practitioner", name))]
