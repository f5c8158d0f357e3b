"""What is asked at every tick is answered from an index, however long the history grows.

A partial index surely serves a statement that states its condition in its text: see `columns.StateCode`.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import Column, Integer, event, func, insert, literal, select, true

from reminders.store import answers, appointments, lapses, links, patients, queue, schema, treatments
from reminders.store import reminders as store
from reminders.store.database import Database, Transaction, create_or_upgrade
from tests.store.clinic import NOW, planned
from tests.support.database import Copies

Question = Callable[[Transaction], object]

QUESTIONS: dict[str, tuple[Question, set[str]]] = {
    "the queue": (lambda tx: queue.due_patients(tx, 1), {"ix_reminders_wake"}),
    "the next wake": (lambda tx: queue.next_wake(tx, 1), {"ix_reminders_wake"}),
    "clinics with due ones": (queue.clinics_with_due, {"ix_reminders_wake"}),
    "lapsed leases": (lapses.lapsed, {"ix_reminders_lease"}),
    "what waits for its template": (queue.broken, {"ix_reminders_held"}),
    "what expires": (lambda tx: store.expire_passed(tx, 10), {"ix_reminders_not_after"}),
    "the backlog": (lambda tx: store.overdue_count(tx, 1, NOW), {"ix_reminders_planned"}),
    "what was sent": (
        lambda tx: store.sent_between(tx, 1, [(NOW, NOW)]),
        {"ix_reminders_sent_at", "ix_reminders_handed_over_at"},
    ),
    "whom to plan anew": (lambda tx: store.due_for_replanning(tx, NOW, 10), {"ix_patients_replan_at"}),
    "a clinic's list": (lambda tx: next(store.listing(tx, clinic_id=1)), {"ix_reminders_due_at"}),
    "what no clinic was told of": (answers.unannounced, {"ix_answers_unannounced"}),
    "a clinic's worklist": (lambda tx: answers.worklist(tx, 1, closed=False), {"ix_answers_open"}),
    "a patient's answers": (lambda tx: answers.standing(tx, 1), {"ix_answers_patient"}),
    "a link": (lambda tx: links.find_link(tx, "x", "request", NOW), {"pk_links"}),
    "a patient's reminders": (lambda tx: store.stored(tx, [1]), {"ix_reminders_patient"}),
    "how patients stand": (lambda tx: store.standing(tx, [1], NOW), {"ix_reminders_patient"}),
    "patients' treatments": (lambda tx: treatments.treatments_of(tx, [1]), {"ix_treatments_patient"}),
    "patients' episodes": (lambda tx: treatments.episodes_of(tx, [1]), {"ix_episodes_patient"}),
    "patients' appointments": (lambda tx: appointments.appointments_of(tx, [1]), {"ix_appointments_patient"}),
    "patients of addresses": (
        lambda tx: patients.patients_by_address_keys(tx, 1, ["x"]),
        {"ix_patients_address_key"},
    ),
}


FEW_ROWS = frozenset(
    {
        "a clinic's list",
        "what no clinic was told of",
        "a clinic's worklist",
        "a patient's answers",
        "a link",
        "a patient's reminders",
        "how patients stand",
        "patients' treatments",
        "patients' episodes",
        "patients' appointments",
        "patients of addresses",
    }
)
"""PostgreSQL weighs one index against another by the rows there are: here too few, or all of them wanted."""


def a_long_history(url: str) -> None:
    """Make a database with what each goes by: SQLite by its tables, PostgreSQL by years of messages in them."""
    create_or_upgrade(url)
    with closing(Database(url)) as database, database.write(NOW, "cli") as tx:
        planned(tx)
        if tx.connection.dialect.name == "postgresql":
            _send_for_years(tx)


def _send_for_years(tx: Transaction) -> None:
    c = schema.reminders.c
    told = ("id", "copy", "state", "sent_at", "handed_over_at")
    same = [column for column in c if column.name not in told]
    series = func.generate_series(1, 5000).table_valued(Column("number", Integer), name="series").render_derived()
    number = series.c.number
    ago = literal(NOW) - number * literal(dt.timedelta(minutes=100))
    sent = select(*same, number, literal("sent"), ago, ago).where(c.id == 1).join_from(schema.reminders, series, true())
    names = [*(column.name for column in same), "copy", "state", "sent_at", "handed_over_at"]
    tx.connection.execute(insert(schema.reminders).from_select(names, sent))
    tx.connection.exec_driver_sql("ANALYZE")


@pytest.fixture
def history(copies: Copies) -> Iterator[Database]:
    made = Database(copies.copy(a_long_history))
    yield made
    made.close()


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_of_every_tick_has_its_index(history: Database, name: str) -> None:
    ask, indexes = QUESTIONS[name]
    asked: list[tuple[str, Any]] = []

    def note(*arguments: object) -> None:
        asked.append((str(arguments[2]), arguments[3]))

    with history.write(NOW, "deliver") as tx:
        event.listen(tx.connection.engine, "before_cursor_execute", note)
        ask(tx)
        event.remove(tx.connection.engine, "before_cursor_execute", note)
        statement, parameters = next(one for one in asked if " FROM " in one[0].replace("\n", " "))
        steps = _steps(tx, statement, parameters)
    if name in FEW_ROWS and "postgresql" in history.address:
        indexes = {"Index Scan"}
    assert {index for index in indexes if index in steps} == indexes, steps


def _steps(tx: Transaction, statement: str, parameters: Any) -> str:  # noqa: ANN401 - as the driver was given them
    """Return how the database goes about a statement. PostgreSQL would read the tables of a few rows as a whole."""
    if tx.connection.dialect.name == "sqlite":
        plan = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return " ".join(str(row[3]) for row in plan).replace("sqlite_autoindex_links_1", "pk_links")
    tx.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    return " ".join(str(row[0]) for row in tx.connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))
