"""What is asked at every tick is answered from an index, however long the history grows.

A partial index surely serves a statement that states its condition in its text: see `columns.StateCode`.
"""

from collections.abc import Callable

import pytest
from sqlalchemy import event

from reminders.store import answers, links, outbox, queue
from reminders.store import reminders as store
from reminders.store.database import Database, Transaction
from tests.store.clinic import NOW, planned

Question = Callable[[Transaction], object]

QUESTIONS: dict[str, tuple[Question, set[str]]] = {
    "the queue": (lambda tx: queue.due_page(tx, 1, None, 32), {"ix_reminders_wake"}),
    "the next wake": (lambda tx: queue.next_wake(tx, 1), {"ix_reminders_wake"}),
    "clinics with due ones": (queue.clinics_with_due, {"ix_reminders_wake"}),
    "lapsed leases": (outbox.lapsed, {"ix_reminders_lease"}),
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
    "a link": (lambda tx: links.find_link(tx, "x", "request", NOW), {"sqlite_autoindex_links_1"}),
    "a patient's reminders": (lambda tx: store.stored(tx, [1]), {"ix_reminders_patient"}),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_of_every_tick_has_its_index(database: Database, name: str) -> None:
    ask, indexes = QUESTIONS[name]
    asked: list[tuple[str, object]] = []

    def note(*arguments: object) -> None:
        asked.append((str(arguments[2]), arguments[3]))

    with database.write(NOW, "deliver") as tx:
        planned(tx)
        event.listen(tx.connection.engine, "before_cursor_execute", note)
        ask(tx)
        event.remove(tx.connection.engine, "before_cursor_execute", note)
        statement, parameters = asked[0]
        plan = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
        steps = " ".join(str(row[3]) for row in plan)
    assert {index for index in indexes if index in steps} == indexes, steps
