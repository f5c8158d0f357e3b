"""Finds our columns in a file's header, by their own names or by the names a clinic gives with `--map`.

Invariant: a column is one of ours by name only, never by its place or by what stands in it; what is not ours is named.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reminders.errors import BadInput

PATIENT_COLUMNS = (
    "given_name",
    "family_name",
    "known_as",
    "email",
    "phone",
    "postal_address",
    "language",
    "birth_date",
    "consent",
    "status",
    "representative_email",
    "location",
)
VISIT_COLUMNS = ("treatment_ref", "protocol", "kind", "treated_on", "practitioner", "visit_status", "booked_for")
COLUMNS = ("patient_ref", *PATIENT_COLUMNS, *VISIT_COLUMNS)

PROBLEM_COLUMN = "problem"
"""The column an error file adds; it is passed over when the mended file comes back."""

_NOT_A_NAME = re.compile(r"@|\d{4}|^\W*\d|^\s*$")


class NoSuchColumn(BadInput):
    """--map names '{name}', which is no column of an import. The columns are: {known}."""


class MissingColumn(BadInput):
    """The file has no column {column!r}{where}. {seen}."""


class MappedTwice(BadInput):
    """--map gives two columns for '{name}', or one column to two names: say each once."""


class DoubledColumn(BadInput):
    """The file has more than one column {column!r}: rename all but one."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each of our columns stands in a row, and the header's names that are passed over."""

    places: Mapping[str, int]
    ignored: tuple[str, ...] = ()


def resolve(header: Sequence[str], mapping: Sequence[tuple[str, str]]) -> Columns:
    """Return where our columns stand in `header`; `mapping` gives (our name, the file's name).

    Names are compared without case and outer blanks. Without a mapping of its own a column goes by our name. Raises
    `NoSuchColumn`, `MissingColumn`, `MappedTwice` or `DoubledColumn`.
    """
    wanted = {name: name for name in COLUMNS} | _checked(mapping)
    by_hand = {name for name, _ in mapping}
    taken = {_key(column) for column in dict(mapping).values()}
    counts = Counter(_key(cell) for cell in header)
    first = {_key(cell): place for place, cell in reversed(list(enumerate(header)))}
    places: dict[str, int] = {}
    for name, column in wanted.items():
        key = _key(column)
        if key not in first:
            if name in by_hand:
                raise MissingColumn(column=column, where=f", which --map names for {name}", seen=_seen(header))
            continue
        if name not in by_hand and key in taken:
            continue
        if counts[key] > 1:
            raise DoubledColumn(column=column)
        places[name] = first[key]
    if "patient_ref" not in places:
        where = " and none is named for it with --map patient_ref=COLUMN"
        raise MissingColumn(column="patient_ref", where=where, seen=_seen(header))
    used = set(places.values())
    ignored = (
        cell for place, cell in enumerate(header) if place not in used and _key(cell) not in ("", PROBLEM_COLUMN)
    )
    return Columns(places, tuple(cell[:80] for cell in ignored))


def _checked(mapping: Sequence[tuple[str, str]]) -> dict[str, str]:
    names = Counter(name for name, _ in mapping)
    columns = Counter(_key(column) for _, column in mapping)
    for name, column in mapping:
        if name not in COLUMNS:
            raise NoSuchColumn(name=name, known=", ".join(COLUMNS))
        if names[name] > 1 or columns[_key(column)] > 1:
            raise MappedTwice(name=name)
    return dict(mapping)


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()


def _seen(header: Sequence[str]) -> str:
    """Tell the header's names, unless they look like somebody's data: a file without a header begins with a patient."""
    if any(_NOT_A_NAME.search(cell) or not cell.isprintable() for cell in header if cell) or not any(header):
        return "Its first row does not look like a header: put the columns' names there"
    return f"It has: {', '.join(cell[:80] for cell in header if cell)}"
