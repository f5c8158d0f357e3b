"""Fills a database with millions of treated patients and their planned reminders, by SQL, past the product.

Invariant: each row is what the product would have stored: the days come from its own domain; only the audit trail,
which no delivery reads, knows nothing of them.
"""

import datetime as dt
from collections.abc import Iterator

from benchmarks.databases import ask, run
from benchmarks.seed import PROTOCOLS
from reminders.clock import SystemClock
from reminders.domain.window import allowed_days, window_of
from reminders.services.catalogue_file import starter_catalogue

DAYS = 60
"""Treated on each of the last so many days: every step lies ahead."""

_INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'reminders' AND sql IS NOT NULL",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'reminders' AND indexname LIKE 'ix%'",
}
_QUICKLY = {  # no flush and no check for each of millions of rows: a crash here costs a benchmark
    "sqlite": ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -500000"),
    "postgresql": ("SET session_replication_role = replica", "SET maintenance_work_mem = '512MB'"),
}
_COUNT = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {patients})"


def fill(url: str, rows: int, clinics: int, *, planned: bool = True) -> int:
    """Add treated patients, who have about `rows` reminders, to an installation of `clinics` without any.

    Return how many are planned. Without `planned` there are only the facts, for somebody to plan.
    """
    known = {protocol.code: protocol for protocol in starter_catalogue()}
    patients = rows * len(PROTOCOLS) // sum(len(known[code].steps) for code in PROTOCOLS)
    backend = "sqlite" if url.startswith("sqlite") else "postgresql"
    indexes = ask(url, _INDEXES[backend]) if planned else []
    run(
        url,
        *_QUICKLY[backend],
        *_shapes(backend),
        *_facts(patients, clinics, backend),
        *(f"DROP INDEX {name}" for name, _ in indexes),
        *([_REMINDERS.format(count=_COUNT.format(patients=patients), **_names(clinics, backend))] if planned else []),
        *(str(made) for _, made in indexes),
        *_numbers(backend),
    )
    if backend == "sqlite":
        run(url, "PRAGMA journal_mode = WAL")
    return int(ask(url, "SELECT count(*) FROM reminders")[0][0])


def _shapes(backend: str) -> Iterator[str]:
    """Yield the statements that make a small table of every step of every protocol and day."""
    columns = "number integer, protocol text, step text, day date, opens date, due date, overdue date, closes date"
    yield f"CREATE TEMPORARY TABLE shapes ({columns}, due_at timestamptz, not_after timestamptz)"
    today, known = SystemClock().now().date(), {protocol.code: protocol for protocol in starter_catalogue()}
    for number in range(DAYS * len(PROTOCOLS)):
        protocol = known[PROTOCOLS[number % len(PROTOCOLS)]]
        day = today - dt.timedelta(days=number // len(PROTOCOLS))
        window = window_of(protocol, day)
        for step, days in zip(protocol.steps, allowed_days(protocol, window), strict=True):
            until = days.last + dt.timedelta(days=1)
            dates = (day, window.opens, window.due, window.overdue, window.closes)
            values = [f"'{value}'" for value in (protocol.code, step.name, *dates)]
            moments = [_moment(at, backend) for at in (days.first, until)]
            yield f"INSERT INTO shapes VALUES ({number}, {', '.join([*values, *moments])})"  # noqa: S608 - our own days


def _facts(patients: int, clinics: int, backend: str) -> list[str]:
    given = {"count": _COUNT.format(patients=patients), **_names(clinics, backend)}
    return [statement.format(**given) for statement in (_PATIENTS, _EPISODES, _TREATMENTS)]


def _names(clinics: int, backend: str) -> dict[str, str]:
    now = _moment(SystemClock().now().date() - dt.timedelta(days=1), backend)
    lines = " ".join(f"WHEN '{protocol.code}' THEN '{protocol.clock}'" for protocol in starter_catalogue())
    return {
        "clinic": f"1 + i % {clinics}",
        "shape": f"i % {DAYS * len(PROTOCOLS)}",
        "first": "(SELECT number, min(protocol) protocol, min(day) AS day FROM shapes GROUP BY number)",
        "line": f"CASE s.protocol {lines} END",
        "now": now,
    }


def _moment(day: dt.date, backend: str) -> str:
    return f"'{day} 00:00:00.000000'" if backend == "sqlite" else f"'{day} 00:00:00+00'"


def _numbers(backend: str) -> Iterator[str]:
    """Yield what makes PostgreSQL count on behind the ids that were given by hand."""
    if backend == "postgresql":
        for table in ("patients", "episodes", "treatments"):
            yield f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"  # noqa: S608 - our own names


_PATIENTS = """
{count} INSERT INTO patients (id, clinic_id, ref, given_name, family_name, email, consent, status, created_at)
SELECT i + 1, {clinic}, 'B' || i, 'Given', 'Family ' || i, 'b' || i || '@patients.example', 'granted', 'active', {now}
FROM n
"""
_EPISODES = """
{count} INSERT INTO episodes (id, clinic_id, patient_id, line, first_day, ordinal, created_at)
SELECT i + 1, {clinic}, i + 1, {line}, s.day, 0, {now} FROM n JOIN {first} s ON s.number = {shape}
"""
_TREATMENTS = """
{count} INSERT INTO treatments (id, clinic_id, patient_id, episode_id, protocol, day, kind, entered_at)
SELECT i + 1, {clinic}, i + 1, i + 1, s.protocol, s.day, 'treatment', {now} FROM n JOIN {first} s ON s.number = {shape}
"""
_REMINDERS = """
{count} INSERT INTO reminders (clinic_id, patient_id, episode_id, step, protocol, class_name, treatment_id, state,
    opens, due, overdue, closes, due_at, not_after, wake_at, created_at, updated_at)
SELECT {clinic}, i + 1, i + 1, s.step, s.protocol, 'cosmetic', i + 1, 'planned',
    s.opens, s.due, s.overdue, s.closes, s.due_at, s.not_after, s.due_at, {now}, {now}
FROM n JOIN shapes s ON s.number = {shape}
"""
