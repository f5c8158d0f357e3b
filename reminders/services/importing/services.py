"""Knows what a clinic's own service names mean: which protocol and kind, or nothing to follow.

Invariant: a name is known by a line of the values file or by being a protocol's code; anything else is unmapped, and a
cell with one unmapped name has no meaning at all.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from reminders.domain.facts import Kind
from reminders.domain.protocol import Protocol
from reminders.errors import BadInput
from reminders.services.importing.days import Unreadable
from reminders.services.importing.file import CsvTable
from reminders.services.importing.values import kind as read_kind
from reminders.services.importing.values import plain

IGNORE = "ignore"
LONGEST_SHOWN = 80
LONGEST_CELL = 1_000
_SEPARATORS = re.compile(r"[+;|\r\n]+")


class UnreadableValues(BadInput):
    """The values file cannot be used: {problem}."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a name means: a protocol and a kind."""

    protocol: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a cell means: its services (none where all are ignored), and the names nobody mapped."""

    services: tuple[Service, ...] = ()
    unmapped: tuple[str, ...] = ()


class Services:
    """Reads cells of services, remembering what it has read."""

    def __init__(self, protocols: Mapping[str, Protocol], values: Mapping[str, Service | None]) -> None:
        """Know every protocol that is switched on by its code, and `values` by name; None means ignored."""
        self._codes = {code: Service(code, Kind.TREATMENT) for code, one in protocols.items() if one.active}
        self._values = values
        self._remembered = lru_cache(maxsize=4096)(self._read)

    def read(self, cell: str) -> Meaning:
        """Return what a cell means: as a whole where that is mapped, else by its parts (`+`, `;`, `|`, line break).

        Raises `Unreadable` for a cell that is no list of services, however it is read.
        """
        if len(cell) > LONGEST_CELL:
            raise Unreadable(problem=f"is longer than {LONGEST_CELL} characters")
        return self._remembered(cell)

    def _read(self, cell: str) -> Meaning:
        if self._knows(cell):
            return self._meaning([cell])
        names = [part for part in (part.strip() for part in _SEPARATORS.split(cell)) if part]
        unmapped = tuple(dict.fromkeys(shown(part) for part in names if not self._knows(part)))
        return Meaning(unmapped=unmapped) if unmapped else self._meaning(names)

    def _knows(self, text: str) -> bool:
        return text in self._codes or _name(text) in self._values

    def _meaning(self, texts: Sequence[str]) -> Meaning:
        meant = (self._values.get(_name(text), self._codes.get(text)) for text in texts)
        return Meaning(tuple(dict.fromkeys(service for service in meant if service is not None)))


def read_values(path: Path, protocols: Mapping[str, Protocol]) -> dict[str, Service | None]:
    """Return what the values file (CSV: value, protocol, optional kind) says; raises `UnreadableValues`."""
    try:
        with CsvTable(path, ("value", "protocol", "kind")) as table:
            places = {cell.casefold(): place for place, cell in enumerate(table.header)}
            if not {"value", "protocol"} <= places.keys():
                raise UnreadableValues(
                    problem="its first row must name the columns value, protocol and, if wanted, kind"
                )
            found: dict[str, Service | None] = {}
            for row in table.rows():
                if row.problem:
                    raise UnreadableValues(problem=f"row {row.number}: {row.problem}")
                cells = {
                    column: plain(row.cells[place]) if place < len(row.cells) else ""
                    for column, place in places.items()
                }
                _take(found, cells, protocols, row.number)
    except OSError as fault:
        raise UnreadableValues(problem=f"{path.name} cannot be opened ({fault.strerror})") from None
    return found


def _take(
    found: dict[str, Service | None], cells: Mapping[str, str], protocols: Mapping[str, Protocol], number: int
) -> None:
    key = _name(cells["value"])
    if not key:
        raise UnreadableValues(problem=f"row {number} has no value")
    service = _service(cells, protocols, number)
    if key in found and found[key] != service:
        raise UnreadableValues(problem=f"row {number} gives a second meaning to a value that an earlier row maps")
    found[key] = service


def _service(cells: Mapping[str, str], protocols: Mapping[str, Protocol], number: int) -> Service | None:
    code = cells["protocol"]
    if code.casefold() == IGNORE:
        return None
    if code not in protocols:
        known = ", ".join(sorted(code for code, one in protocols.items() if one.active))
        raise UnreadableValues(problem=f"row {number} names protocol {shown(code)!r}; there are {IGNORE}, {known}")
    if not protocols[code].active:
        raise UnreadableValues(problem=f"row {number} names protocol {code}, which is switched off: switch it on first")
    try:
        return Service(code, Kind(read_kind(cells["kind"])) if cells.get("kind") else Kind.TREATMENT)
    except Unreadable as fault:
        raise UnreadableValues(problem=f"row {number}: the kind {fault}") from None


def _name(text: str) -> str:
    return " ".join(text.split()).casefold()


def shown(text: str) -> str:
    """Return a service's name as a report may show it: printable and not too long."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))
    return printable if len(printable) <= LONGEST_SHOWN else printable[: LONGEST_SHOWN - 1] + "…"
