"""Lets messages go whose template was broken and is mended, or whose clinic's details are: nobody has to ask for it.

Invariant: what still cannot be written stays held, and looking changes nothing.
"""

from collections.abc import Iterator

from reminders.domain.lifecycle import State
from reminders.mail.message import MessageFacts
from reminders.services.letter import message_facts, mint_links
from reminders.services.rounds import Worker, write_message
from reminders.services.subjects import subject_of
from reminders.store import queue, reminders
from reminders.store.apart import apart
from reminders.store.database import Transaction
from reminders.store.queue import Broken

FAILURES_LOOKED_AT = 20
"""A delivery stops looking at a clinic after so many that still cannot be written; which ones, is left to chance."""


def let_mended_go(worker: Worker) -> int:
    """Plan again what was held for a broken template and can be written now; return how many reminders."""
    with worker.database.read(worker.clock.now()) as tx:
        mended = list(_mended(worker, tx))
    if not mended:
        return 0
    with worker.database.write(worker.clock.now, "deliver") as tx:
        return sum(reminders.change_state(tx, one, State.HELD, State.PLANNED, None) for one in mended)


def _mended(worker: Worker, tx: Transaction) -> Iterator[int]:
    failures = dict[int, int]()
    broken = queue.broken(tx)
    worker.chance.shuffle(broken)
    for one in broken:
        if failures.get(one.clinic_id, 0) >= FAILURES_LOOKED_AT:
            continue
        worker.beat()
        if _can_be_written(worker, tx, one):
            yield one.reminder_id
        else:
            failures[one.clinic_id] = failures.get(one.clinic_id, 0) + 1


def _can_be_written(worker: Worker, tx: Transaction, one: Broken) -> bool:
    try:
        with apart(tx):
            slug, shown = _shown(tx, one)
        write_message(worker, shown, mint_links(worker.keys, worker.link_base), f"<looking@{slug}.invalid>")
    except Exception:  # noqa: BLE001 - whatever is wrong with it, its rows or its template, it goes on waiting
        return False
    return True


def _shown(tx: Transaction, one: Broken) -> tuple[str, MessageFacts]:
    subject = subject_of(tx, one.patient_id)
    chosen = [reminder for reminder in subject.stored if reminder.id == one.reminder_id]
    return subject.room.clinic.slug, message_facts(subject, chosen, tx.now)
