"""Invents exports of visits in the shapes that practice systems give them; nobody in them exists.

Invariant: the same seed gives the same file, and every service named in the documented values files occurs.
"""

import csv
import datetime as dt
import itertools
import random
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.services.import_desk import TODAY

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GIVEN = ("Renée", "Siân", "José", "Zoë", "Iñaki", "Ava", "Mei", "Björn", "Grace", "Yusuf")
FAMILY = ("O'Neill", "St-John", "Müller", "García", "d'Arcy", "Hall", "Okafor", "Ó'Brien", "Smith", "Evans")


@dataclass(frozen=True)
class Shape:
    """How one system writes: its columns in our order, its words, and where its values file lies."""

    columns: Sequence[str]
    encoding: str
    delimiter: str
    day: str
    staff: Sequence[str]
    words: Sequence[str]
    consent: Sequence[str]
    values: Path


UK = Shape(
    (
        *("Client ID", "First Name", "Last Name", "Email", "Mobile", "Date of Birth", "Appt Date", "Service"),
        *("Practitioner", "Status", "Marketing Consent"),
    ),
    "cp1252",
    ";",
    "%d/%m/%Y",
    ("Dr A. Moss", "Dr S. Øst", "Nurse P. Quill"),
    ("Completed", "Booked", "Cancelled", "No Show"),
    ("Y", "Y", "N", ""),
    DOCS / "examples" / "values-uk.csv",
)
US = Shape(
    (
        *("PatientNum", "FName", "LName", "EmailAddress", "WirelessPhone", "Birthdate", "AptDateTime", "ProcDescript"),
        *("Provider", "AptStatus", "EmailOK"),
    ),
    "utf-8-sig",
    ",",
    "%m/%d/%Y",
    ("MOSS, ADA MD", "QUILL, PAT NP"),
    ("Complete", "Scheduled", "Canceled", "No-Show"),
    ("1", "0"),
    DOCS / "examples" / "values-us.csv",
)


def write_export(path: Path, shape: Shape, rows: int, patients: int, seed: int = 1) -> Path:
    """Write an export of `rows` visits, up to a fortnight before today and half a year beyond it."""
    chance = random.Random(seed)
    with path.open("w", encoding=shape.encoding, newline="") as file:
        writer = csv.writer(file, delimiter=shape.delimiter)
        writer.writerow(shape.columns)
        writer.writerows(_visits(shape, rows, patients, chance))
    return path


def _visits(shape: Shape, rows: int, patients: int, chance: random.Random) -> Iterator[list[str]]:
    services = services_named(shape.values)
    completed, booked, *neither = shape.words
    for number in range(rows):
        who = chance.randrange(patients)
        person = random.Random(who)  # the same each time the patient comes
        given, family = person.choice(GIVEN), person.choice(FAMILY)
        email = f"patient{who}@patients.example"
        email = person.choices((email, "", "reception@patients.example", f"patient{who} at x"), (90, 5, 3, 2))[0]
        born = dt.date(1945, 1, 1) + dt.timedelta(days=person.randrange(22_000))
        day = TODAY - dt.timedelta(days=chance.randrange(-180, 540))
        word = booked if day > TODAY else chance.choices((completed, *neither), (90, 5, 5))[0]
        service = services[number % len(services)]
        if chance.random() < 0.05:
            service = f"{service} + {chance.choice(services)}"
        time = f" {chance.choice(('09:15 AM', '02:30 PM'))}" if shape is US else ""
        yield [
            str(1000 + who),
            given,
            family,
            email,
            f"07{who:09}",
            born.strftime(shape.day),
            day.strftime(shape.day) + time,
            service,
            chance.choice(shape.staff),
            word,
            person.choice(shape.consent),
        ]


def services_named(path: Path) -> list[str]:
    """Return the names that a values file maps."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row["value"] for row in csv.DictReader(file)]


def documented_options(values: Path) -> dict[str, object]:
    """Return the options of the command in docs/import.md that uses this values file, as `ImportRequest` takes them."""
    text = (DOCS / "import.md").read_text(encoding="utf-8").replace("\\\n", " ")
    [line] = [line for line in text.splitlines() if line.startswith("reminders import") and values.name in line]
    words = shlex.split(line)
    mapping: list[tuple[str, str]] = []
    options: dict[str, object] = {}
    for name, value in itertools.pairwise(words):
        if name == "--map":
            ours, _, theirs = value.partition("=")
            mapping.append((ours, theirs))
        elif name == "--values":
            options["values"] = ROOT / value
        elif name == "--date-format":
            options["date_format"] = value
    return {"mapping": tuple(mapping), **options}
