"""What every tick does and what a person asks costs the same, however much is planned behind it.

The cost is counted, not timed: on SQLite in steps of its machine, on PostgreSQL in rows and entries of indexes that
were read. Ten times as many planned reminders may cost a few more, never ten times as many.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, event

from benchmarks.databases import run
from benchmarks.fill import fill
from benchmarks.seed import KEY, PROTOCOLS, treated_days
from reminders.app import App, init, open_app
from reminders.clock import SystemClock
from reminders.domain.lifecycle import State
from reminders.services.deliver import next_delivery
from reminders.services.overview import Filter
from reminders.services.record import NewTreatment
from reminders.settings import Settings
from reminders.store import places, reminders
from reminders.store.database import Transaction
from tests.support.database import Copies

FEW, MANY = 420, 4200
CLINICS = ("one", "two")
DAILY = {"sending_days": "mon,tue,wed,thu,fri,sat,sun"}
STEPS = 100
PATIENT = "B7"
_READ = (
    "SELECT (SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0) FROM pg_stat_user_tables)"
    " + (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes)"
)
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def listed(app: App, **asked: object) -> None:
    with app.list(Filter(**{"limit": 5, **asked})) as found:  # type: ignore[arg-type] # as the acts below give it
        list(found)


def tick(app: App) -> None:
    app.beat("test")
    app.rescue()
    app.deliver()


def treat(app: App) -> None:
    app.add_treatment(CLINICS[1], NewTreatment(PATIENT, PROTOCOLS[0], SystemClock().now().date(), ref="again"))


def send(app: App) -> None:
    """Send one message to somebody new, from the treatment to the answer."""
    protocol, day = treated_days()[0]
    given = {"given_name": "A", "family_name": "B", "email": "a@patients.example", "consent": "granted"}
    app.add_patient(CLINICS[0], "new", given)
    app.add_treatment(CLINICS[0], NewTreatment("new", protocol, day - dt.timedelta(days=2)))
    assert app.deliver().sent == 1


def asked(question: Callable[[Transaction], object]) -> Callable[[App], object]:
    """Return what asks the store a question."""

    def ask(app: App) -> None:
        with app.database.read(SystemClock().now()) as tx:
            question(tx)

    return ask


SOON = SystemClock().now() + dt.timedelta(days=30)
ACTS: dict[str, Callable[[App], object]] = {
    "tick": tick,
    "is ready": lambda app: app.is_ready(),
    "pulse": lambda app: app.pulse(),
    "list": listed,
    "list of a clinic": lambda app: listed(app, clinic=CLINICS[0]),
    "list of a patient": lambda app: listed(app, clinic=CLINICS[1], patient=PATIENT, limit=None),
    "list from a day on": lambda app: listed(app, due_from=SOON),
    "list of planned": lambda app: listed(app, states=(State.PLANNED,)),
    "list of overdue": lambda app: listed(app, states=(State.PLANNED,), due_to=SystemClock().now(), limit=None),
    "list of held": lambda app: listed(app, states=(State.HELD,)),
    "list of held of a clinic": lambda app: listed(app, clinic=CLINICS[0], states=(State.HELD,)),
    "list of all held": lambda app: listed(app, states=(State.HELD,), limit=None),
    "list of failed": lambda app: listed(app, states=(State.FAILED,)),
    "list of all failed": lambda app: listed(app, states=(State.FAILED,), limit=None),
    "list of held and unknown": lambda app: listed(app, states=(State.HELD, State.UNKNOWN)),
    "list of all held and unknown": lambda app: listed(app, states=(State.HELD, State.UNKNOWN), limit=None),
    "why": lambda app: app.why(CLINICS[1], PATIENT),
    "patient show": lambda app: app.show_patient(CLINICS[1], PATIENT),
    "treatment add": treat,
    "a message": send,
    "whether anything was sent": asked(places.any_sent),
    "what is held as a backlog": asked(reminders.held_as_backlog),
    "when the next delivery is": asked(next_delivery),
}


def filled(rows: int) -> Callable[[str], None]:
    """Return what makes an installation with about so many planned reminders, which has delivered before."""

    def make(url: str) -> None:
        init(Settings(database_url=url, secret_key=KEY))
        given = {
            "name": "A",
            "timezone": "UTC",
            "email": "hello@clinic.example",
            "sending_hours": "00:00-24:00",
            **DAILY,
        }
        with open_app(Settings(database_url=url, secret_key=KEY)) as app:
            for slug in CLINICS:
                app.add_clinic(slug, given, ())
        fill(url, rows, len(CLINICS))
        if not url.startswith("sqlite"):
            run(url, "ANALYZE")  # as the server does by itself; SQLite goes without

    return make


MAKERS = {rows: filled(rows) for rows in (FEW, MANY)}


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)
def test_nothing_costs_more_where_ten_times_as_much_is_planned(copies: Copies, backend: str, tmp_path: Path) -> None:
    few, many = (_costs(copies.copy(MAKERS[rows], str(rows)), tmp_path / str(rows), backend) for rows in (FEW, MANY))
    grown = {name: (few[name], many[name]) for name in ACTS if many[name] > 1.5 * few[name] + 2 * STEPS}
    assert not grown


def _costs(url: str, state: Path, backend: str) -> dict[str, int]:
    """Return what each act costs, once everything was done before."""
    asked = url if backend == "sqlite" else _without_walks(url)
    settings = Settings(database_url=asked, secret_key=KEY, state=state, smtp_url=f"file:{state}/mail")
    counting = _steps if backend == "sqlite" else _rows
    found = {}
    with open_app(settings) as app:
        tick(app)  # the first delivery on a machine reads the file as a whole
    for name, act in ACTS.items():
        with counting(url) as counted, open_app(settings) as app:
            act(app)
        found[name] = counted()
    return found


def _without_walks(url: str) -> str:
    """Return the URL by which PostgreSQL uses an index wherever there is one, however small the table."""
    return f"{url}{'&' if '?' in url else '?'}options=-c%20enable_seqscan%3Doff"


@contextmanager
def _steps(_: str) -> Iterator[Callable[[], int]]:
    """Count the steps of SQLite's machine."""
    count = [0]

    def step() -> None:
        count[0] += STEPS

    def watch(connection: object, _: object) -> None:
        connection.set_progress_handler(step, STEPS)  # type: ignore[attr-defined] # the driver's own

    event.listen(Engine, "connect", watch)
    try:
        yield lambda: count[0]
    finally:
        event.remove(Engine, "connect", watch)


@contextmanager
def _rows(url: str) -> Iterator[Callable[[], int]]:
    """Count the rows and entries that PostgreSQL's connections read."""
    before = _read(url)
    yield lambda: _read(url) - before


def _read(url: str) -> int:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        while connection.execute(_OTHERS).fetchone() != (0,):
            pass  # a connection tells what it read when it ends
        found = connection.execute(_READ).fetchone()
    assert found is not None
    return int(found[0])
