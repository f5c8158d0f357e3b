"""Brings in a clinic's export: a file of visits, patients or bookings, read whole and judged before anything is stored.

1. The file is read and each row judged; what was read waits on disk, sorted by patient. A crash leaves nothing.
2. What only the whole file shows is settled: shared addresses, numbers used twice, one person under two numbers.
3. Patients are stored with their plan, a thousand rows per transaction. A crash leaves whole patients; run it again.
4. The rejected rows are written to the error file, and the report is made.
Invariants: a second run of the same file changes nothing; a file that cannot be read as a whole changes nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Self

from reminders.clock import Clock
from reminders.domain.sending_hours import local_day
from reminders.errors import BadInput
from reminders.services.calendar import rules_for
from reminders.services.find import the_clinic
from reminders.services.importing.columns import COLUMNS, resolve
from reminders.services.importing.commit import store_patients
from reminders.services.importing.crosscheck import CrossCheck
from reminders.services.importing.days import Days
from reminders.services.importing.encoding import is_workbook
from reminders.services.importing.errors import ErrorFile, Findings
from reminders.services.importing.file import CsvTable
from reminders.services.importing.judge import Judge, Judged
from reminders.services.importing.patients import PatientRows, patients_in, texts
from reminders.services.importing.report import ImportReport, ImportRequest, RowProblem
from reminders.services.importing.rows import about_the_patient, to_line
from reminders.services.importing.services import Services, read_values
from reminders.services.importing.shown_names import ShownNames
from reminders.services.importing.spool import Spool
from reminders.services.importing.tally import Tally
from reminders.services.importing.workbook import Workbook
from reminders.services.keys import Keys
from reminders.services.turns import Turns
from reminders.store import clinics
from reminders.store.database import Database
from reminders.store.files import file_paths

__all__ = ["ImportReport", "ImportRequest", "NoSuchFile", "Progress", "RowProblem", "bring_in"]

ROWS_AT_A_TIME = 1_000
_TELL_EVERY = 5_000
Progress = Callable[[str, int, int | None], None]
"""Told the stage (read, check, store), the rows done, and how many there are if that is known."""


class NoSuchFile(BadInput):
    """The file {name} cannot be opened ({problem}): check its name."""


class _DryRun(Exception):
    """Undoes a transaction whose outcome was only wanted to be known."""


def bring_in(
    database: Database, clock: Clock, keys: Keys, request: ImportRequest, progress: Progress | None = None
) -> ImportReport:
    """Import a file and say what became of each row; raises a `BadInput` when it cannot be read as a whole.

    With `dry_run` every transaction is undone and the report tells what would have happened.
    """
    tell = progress or _tell_nobody
    _refuse_the_database(database, request)
    with database.read(clock.now()) as tx:
        clinic = the_clinic(tx, request.clinic)
        rules = rules_for(tx, clinic)
        shown = ShownNames(clinic.jurisdiction, [one.name for one in clinics.practitioners(tx, clinic.id)])
    days = Days(clinic.timezone, request.date_format)
    values = read_values(request.values, rules.protocols) if request.values else {}
    with ExitStack() as stack:
        table: CsvTable | Workbook = _open(request)
        stack.enter_context(table)
        columns = resolve(table.header, request.mapping)
        error_file = stack.enter_context(ErrorFile(request.errors, request.path)) if request.errors else None
        pile = stack.enter_context(_Pile())
        own = {address.casefold() for address in (clinic.email, clinic.reply_to) if address}
        today = local_day(clinic.timezone, clock.now())
        judge = Judge(columns, days, Services(rules.protocols, values), rules.protocols, today, own, shown)
        tally = Tally(clinic, rules.calendar, request, columns.ignored)
        for row in table.rows():
            pile.take(row.number, judge.judge(row), tally)
            if tally.rows % _TELL_EVERY == 0:
                tell("read", tally.rows, None)
        pile.settle()
        tell("check", tally.rows, tally.rows)
        turns = Turns(database)
        for chunk in pile.chunks():
            with suppress(_DryRun), turns.write(clock.now, "import") as tx:
                stored = store_patients(tx, clinic, keys, chunk)
                _undo(wanted=request.dry_run)
            tally.stored(stored, pile.findings)
            tell("store", tally.settled, tally.rows)
        if error_file:
            error_file.write(table, pile.findings.errors(), days)
        with database.read(clock.now()) as tx:
            return tally.report(tx, pile.findings)


class _Pile:
    """What was read of a file, on disk: rows by patient, what is wrong with them, and what only all of them show."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self._rows = Spool()
        self._check = CrossCheck()
        self.findings = Findings()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._rows.close()
        self._check.close()
        self.findings.close()

    def take(self, number: int, judged: Judged, tally: Tally) -> None:
        """Keep a row that was judged; what is left out of a rejected row is nobody's concern."""
        tally.judged(judged)
        for column, problem in judged.errors:
            self.findings.error(RowProblem(number, column, problem))
        if judged.row:
            for column, problem in judged.warnings:
                self.findings.warn(RowProblem(number, column, problem))
            self._rows.add(to_line(judged.row))
            self._check.note(judged.row)

    def settle(self) -> None:
        """Find what only the whole file shows, now that all of it is read."""
        self._check.settle()
        for key, person in self._check.judged(patients_in(self._rows, about_the_patient)):
            self._check.note_person(key, texts(person.rows))
        self._check.settle_persons()

    def chunks(self) -> Iterator[list[tuple[PatientRows, str]]]:
        """Yield patients in pieces of about a thousand rows, a patient never cut in two."""
        chunk: list[tuple[PatientRows, str]] = []
        rows = 0
        for person, like in self._check.twins(self._check.judged(patients_in(self._rows))):
            chunk.append((person, like))
            rows += len(person.rows) + len(person.rejected)
            if rows >= ROWS_AT_A_TIME:
                yield chunk
                chunk, rows = [], 0
        if chunk:
            yield chunk


def _refuse_the_database(database: Database, request: ImportRequest) -> None:
    """Raise when a file to read or to write is the database itself.

    Opening and closing it would drop the locks this program holds on it; replacing it would be the end of it.
    """
    own = [path for path in file_paths(database.address) if path.exists()]
    for given in (request.path, request.values, request.errors):
        if given is not None and given.exists() and any(given.samefile(path) for path in own):
            raise NoSuchFile(name=given.name, problem="it is this installation's database")


def _open(request: ImportRequest) -> CsvTable | Workbook:
    try:
        with request.path.open("rb") as file:
            packed = is_workbook(file)
        wanted = {*COLUMNS, *(column for _, column in request.mapping)}
        return Workbook(request.path) if packed else CsvTable(request.path, wanted)
    except OSError as fault:
        raise NoSuchFile(name=request.path.name, problem=fault.strerror or "refused") from None


def _undo(*, wanted: bool) -> None:
    """Leave the transaction without storing anything, if that is wanted."""
    if wanted:
        raise _DryRun


def _tell_nobody(stage: str, done: int, total: int | None) -> None:
    """Be told the progress, and say nothing."""
