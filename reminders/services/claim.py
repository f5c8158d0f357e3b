"""Claims the messages of one round, and finds out what became of a claim whose answer was lost.

Invariant: what cannot be read of one patient keeps nobody else's mail waiting, and what may have killed a worker is
claimed alone.
"""

from collections.abc import Sequence
from dataclasses import replace

from reminders.domain.lifecycle import State
from reminders.services.beforehand import Foreseen, foresee
from reminders.services.choose import Chooser, Letter, Visit
from reminders.services.envelope import Worker
from reminders.services.guarding.lock import refuse_locked
from reminders.services.guarding.sound import need_our_tables, need_room
from reminders.services.reconnect import patiently
from reminders.services.visits import Visits
from reminders.store import outbox, queue
from reminders.store.apart import ODD_DATA, apart
from reminders.store.audit_trail import newest
from reminders.store.database import Transaction

MANY = 8


def claim(worker: Worker, chooser: Chooser, visits: Visits, round_size: int) -> list[Letter]:
    """Claim up to `round_size` messages; a transaction looks at as many patients as are still wanted.

    A claim whose answer was lost is looked up: what stands is ours and goes on, the rest is looked for again.
    """
    letters: list[Letter] = []
    counts, finished = chooser.tally.counts, chooser.gate.finished
    before, finished_before = counts.copy(), set(finished)

    def attempt(again: bool) -> list[Letter]:  # noqa: FBT001 - `patiently` says so
        if again and letters and (standing := _still_claimed(worker, chooser, letters)):
            return standing
        if again:
            counts.clear()
            counts.update(before)
            finished.intersection_update(finished_before)
            letters.clear()
            chooser.gate.untake()
            visits.begin()
        while not letters and not worker.stop():
            taken = visits.take(round_size)
            if not taken:
                break
            need_room(worker.database)
            seen = _foreseen(worker, taken)
            with worker.database.write(worker.clock.now, "deliver", alongside=True) as tx:
                need_our_tables(tx)
                refuse_locked(tx)
                chooser.gate.enter(tx, {clinic_id for clinic_id, _ in taken})
                found = _claim_for(tx, chooser, visits, taken, seen)
                chooser.gate.leave(tx)
                entry = newest(tx) if found else 0
                letters.extend(replace(letter, entry=entry) for letter in found)
        return letters

    return patiently(worker, attempt)


def _still_claimed(worker: Worker, chooser: Chooser, letters: Sequence[Letter]) -> list[Letter]:
    """Return what we hold after all. Asked as a writer who is alone: until the lost claim has ended, nobody knows."""
    with worker.database.write(worker.clock.now, "deliver") as tx:
        return [one for one in letters if outbox.holds(tx, one.held, State.CLAIMED, chooser.worker)]


def _foreseen(worker: Worker, visits: Sequence[Visit]) -> Foreseen | None:
    """Look up many ahead, and a few in their claim itself; None as well where rows of one of them cannot be read."""
    if len(visits) < MANY:
        return None
    try:
        with worker.database.read(worker.clock.now()) as tx:
            return foresee(tx, worker.lookup, visits)
    except ODD_DATA:
        return None


def _claim_for(
    tx: Transaction, chooser: Chooser, visits: Visits, taken: Sequence[Visit], seen: Foreseen | None = None
) -> list[Letter]:
    """Claim what is due of these patients.

    What a dead worker had begun to send is claimed alone: should it kill this one too, it kills no others' chances.
    """
    suspect = queue.killed_their_worker(tx, [patient_id for _, patient_id in taken]) if len(taken) > 1 else ()
    fine = [visit for visit in taken if visit[1] not in suspect]
    now = fine or taken[:1]
    visits.put_back([visit for visit in taken if visit not in now])
    counts, finished = chooser.tally.counts, chooser.gate.finished
    before, finished_before = counts.copy(), set(finished)
    try:
        with apart(tx):
            letters, later = chooser.claim(tx, now, seen)
    except ODD_DATA:  # rows of one of them cannot be read: that one is skipped, and everybody else's mail goes on
        counts.clear()
        counts.update(before)
        finished.intersection_update(finished_before)
        chooser.gate.aside.clear()
        if len(now) == 1:
            counts["skipped"] += 1
            return []
        return [letter for visit in now for letter in _claim_for(tx, chooser, visits, [visit])]
    visits.put_back(later)
    visits.again.extend(chooser.gate.aside)
    chooser.gate.aside.clear()
    return letters
