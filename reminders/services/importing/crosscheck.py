"""Finds what only the whole file shows: addresses of many patients, one treatment number twice, one person twice.

Everything is noted while the rows are read, settled once, and then handed out patient by patient in sorted order.
Invariant: memory does not grow with the file.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from reminders.services.importing.patients import MOST_ROWS, PatientRows
from reminders.services.importing.placeholders import SHARED_BY
from reminders.services.importing.report import RowProblem
from reminders.services.importing.rows import VisitRow, order, patient_of
from reminders.services.importing.spool import Spool

TAB = "\t"
SHARED_ADDRESS = f"is the address of more than {SHARED_BY} patients, so none of theirs: left out"
_SHARED, _TAKEN, _LIKE = "shared", "taken", "like"


@dataclass(slots=True)
class Verdict:
    """What the rest of the file says about a patient: addresses shared by many, rows to reject, an earlier twin."""

    shared: set[str] = field(default_factory=set)
    taken: dict[int, int] = field(default_factory=dict)
    like: str = ""


class CrossCheck:
    """Notes rows, settles what the file as a whole says, and gives a verdict for each patient. To be closed."""

    def __init__(self) -> None:
        """Start with nothing noted."""
        self._addresses = Spool(unique=True)
        self._numbers = Spool()
        self._persons = Spool()
        self._verdicts = Spool()
        self._likes = Spool()

    def close(self) -> None:
        """Remove the temporary files."""
        for spool in (self._addresses, self._numbers, self._persons, self._verdicts, self._likes):
            spool.close()

    def note(self, row: VisitRow) -> None:
        """Keep what this row says that other patients' rows may contradict."""
        if "email" in row.values:  # a representative may well stand for many
            self._addresses.add(f"{row.values['email'].casefold()}\t{order(row.ref)}")
        if row.treatment_ref:
            self._numbers.add(f"{row.treatment_ref}\t{row.number:09}\t{order(row.ref)}")

    def settle(self) -> None:
        """Decide about addresses and treatment numbers, once every row is noted."""
        for line in _shared(self._addresses):
            self._verdicts.add(line)
        for line in _taken(self._numbers):
            self._verdicts.add(line)
        self._addresses.close()
        self._numbers.close()

    def judged(self, patients: Iterable[tuple[str, PatientRows]]) -> Iterator[tuple[str, PatientRows]]:
        """Yield each patient without the rows and addresses that the file as a whole speaks against."""
        return ((key, _without(person, verdict)) for (key, person), verdict in _joined(patients, self._verdicts))

    def note_person(self, key: str, values: Mapping[str, str]) -> None:
        """Keep who this patient is, to find the same person under another number."""
        who = person_key(values)
        if who:
            self._persons.add(f"{who}\t{key}")

    def settle_persons(self) -> None:
        """Decide who is there twice, once every patient is noted."""
        for _, lines in groupby(self._persons, key=_before_last_tab):
            keys = [line.rpartition(TAB)[2] for line in lines]
            for key in keys[1:]:
                self._likes.add(f"{key}\t{_LIKE}\t{keys[0][3:]}")
        self._persons.close()

    def twins(self, patients: Iterable[tuple[str, PatientRows]]) -> Iterator[tuple[PatientRows, str]]:
        """Yield each patient with the number of an earlier one who seems to be the same person, or an empty text."""
        return ((person, verdict.like) for (_, person), verdict in _joined(patients, self._likes))


def person_key(values: Mapping[str, str | None]) -> str:
    """Return what two records of one person have in common: address, family name and birth date; empty without them."""
    address = values.get("representative_email") or values.get("email")
    family, born = values.get("family_name"), values.get("birth_date")
    if not (address and family and born):
        return ""
    return f"{address.casefold()}\t{' '.join(family.split()).casefold()}\t{born}"


def _shared(lines: Iterable[str]) -> Iterator[str]:
    """Yield a verdict for every patient of an address that more than five patients have; no line comes twice."""
    for address, group in groupby(lines, key=patient_of):
        waiting: list[str] = []
        for count, line in enumerate(group, start=1):
            waiting.append(f"{line.rpartition(TAB)[2]}\t{_SHARED}\t{address}")
            if count > SHARED_BY:
                yield from waiting
                waiting.clear()


def _taken(lines: Iterable[str]) -> Iterator[str]:
    """Yield a verdict for every row whose treatment number an earlier row gives to another patient."""
    for _, group in groupby(lines, key=patient_of):
        first: list[str] | None = None
        for line in group:
            _, number, key = line.split("\t")
            if first is None:
                first = [number, key]
            elif key != first[1]:
                yield f"{key}\t{_TAKEN}\t{number}\t{int(first[0])}"


def _joined(
    patients: Iterable[tuple[str, PatientRows]], lines: Iterable[str]
) -> Iterator[tuple[tuple[str, PatientRows], Verdict]]:
    """Yield each patient with the verdicts on them; both come sorted by patient."""
    rest = iter(lines)
    line = next(rest, None)
    for key, person in patients:
        verdict = Verdict()
        while line is not None and patient_of(line) <= key:
            if patient_of(line) == key:
                _apply(verdict, line)
            line = next(rest, None)
        yield (key, person), verdict


def _apply(verdict: Verdict, line: str) -> None:
    _, kind, *what = line.split("\t")
    if kind == _SHARED:
        verdict.shared.add(what[0])
    elif kind == _TAKEN and len(verdict.taken) < MOST_ROWS:  # they come by row, and no later row is read
        verdict.taken[int(what[0])] = int(what[1])
    elif kind == _LIKE:
        verdict.like = what[0]


def _without(person: PatientRows, verdict: Verdict) -> PatientRows:
    if not (verdict.shared or verdict.taken):
        return person
    rows: list[VisitRow] = []
    rejected, warnings = list(person.rejected), list(person.warnings)
    for row in person.rows:
        if row.number in verdict.taken:
            problem = f"stands in row {verdict.taken[row.number]} for another patient"
            rejected.append(RowProblem(row.number, "treatment_ref", problem))
        elif row.values.get("email", "").casefold() in verdict.shared:
            warnings.append(RowProblem(row.number, "email", SHARED_ADDRESS))
            others = {column: text for column, text in row.values.items() if column != "email"}
            rows.append(row._replace(values=others, placeholder=True))
        else:
            rows.append(row)
    return PatientRows(person.ref, tuple(rows), tuple(rejected), tuple(warnings))


def _before_last_tab(line: str) -> str:
    return line.rpartition(TAB)[0]
