"""Shares planning and delivery among several machines: what one of them finds to do is cut into jobs for all.

1. Deliver: the steps before the rounds, for everybody; batches of whom to look at, in one transaction; and the clinics
are told what patients answered. 2. A batch in the middle brings more, as long as there is more: so the machines never
wait for the next slot, and who falls due meanwhile waits behind `AHEAD` patients at most. 3. Plan: a job for every few
hundred patients, in one transaction. A crash between any two leaves what the next slot finds again.

Invariant: nobody is put into a batch who waits in another or is being looked at, and a plan is not shared out while an
earlier one waits; so jobs never pile up, however slow the machines are.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reminders.clock import Clock
from reminders.services.answering.announce import announce
from reminders.services.batches import AHEAD, batches
from reminders.services.deliver import DeliverOutcome, outcome, prepare
from reminders.services.engine import Engine, Job, Task
from reminders.services.gate import Gate
from reminders.services.guarding.lock import need_a_sound_clock
from reminders.services.guarding.sound import on_a_sound_database
from reminders.services.means import naming_means
from reminders.services.rounds import Worker
from reminders.store import clinics, jobs, patients, protocols
from reminders.store.database import Database, Transaction

PLANNED_TOGETHER = 1000


def share_delivery(worker: Worker, engine: Engine) -> DeliverOutcome:
    """Do what comes before the rounds and after them, and put batches in. Raises as `deliver` does."""
    with naming_means(), on_a_sound_database(worker.database, worker.clock, worker.place):
        tally = prepare(worker)
        gate = top_up(worker, engine)
        tally.counts["announced"] = 0 if worker.stop() else announce(worker)
        return outcome(worker, tally, gate)


def top_up(worker: Worker, engine: Engine, ahead: int = AHEAD) -> Gate:
    """Put batches in until `ahead` patients wait, none of whose way rests; return what the ways allowed."""
    gate = Gate(worker.way, worker.keys, ahead)
    with worker.database.read(worker.clock.now()) as tx:
        gate.look(tx)
        waiting, taken = _live(tx)
    room, quota = ahead - waiting, _Quota(gate, Counter(gate.name_of(clinic_id) for clinic_id in taken.values()))
    if worker.shared is not None:
        gate.room(worker.shared)
    if room < ahead // 2 or (gate.resting and not worker.own):
        return gate
    found = list(batches(worker, taken, room, quota))
    more = sum(map(len, found)) == room
    with worker.database.write(worker.clock.now, "deliver", alongside=True) as tx:
        _, taken = _live(tx)  # two may do this at once
        left = [[visit for visit in batch if visit[1] not in taken] for batch in found]
        wanted = [batch for batch in left if batch]
        brings = len(wanted) // 2 if more else None
        engine.defer_all(tx, [_batch(batch, more=number == brings) for number, batch in enumerate(wanted)])
    return gate


def _batch(visits: list[tuple[int, int]], *, more: bool) -> Job:
    return Job(Task.DELIVER_BATCH, {"visits": visits, "more": more})


def batches_wait(database: Database, clock: Clock) -> bool:
    """Tell whether a batch waits for a machine that is free."""
    with database.read(clock.now()) as tx:
        return any(waits for waits, _ in jobs.live(tx, Task.DELIVER_BATCH))


@dataclass(slots=True)
class _Quota:
    """How many patients are shared out for each way: none while it rests, a minute's worth where it has a rate.

    More of them would stand before others in the queue, and only wait.
    """

    gate: Gate
    counts: Counter[str]

    def takes(self, clinic_id: int) -> bool:
        """Tell whether one patient more of a clinic is taken."""
        self.gate.passes(clinic_id)
        way = self.gate.way(clinic_id)
        if way is None or clinic_id in self.gate.finished:
            return False
        self.counts[way.breakers.name] += 1
        return way.rate is None or self.counts[way.breakers.name] <= way.rate

    def reachable(self, tx: Transaction, clinic_id: int, asked: Iterable[int]) -> Iterator[int]:
        """Yield these patients without those whose domains rest: they would stand before all others for as long."""
        return self.gate.without_resting(tx, clinic_id, asked)


def _live(tx: Transaction) -> tuple[int, dict[int, int]]:
    """Return how many patients wait in batches, and who is in one that waits or is at work, with their clinics."""
    found = jobs.live(tx, Task.DELIVER_BATCH)
    waiting = sum(len(args["visits"]) for waits, args in found if waits)
    return waiting, {patient_id: clinic_id for _, args in found for clinic_id, patient_id in args["visits"]}


def share_plan(database: Database, clock: Clock, engine: Engine) -> int:
    """Put a job in for every few hundred patients; return how many. Raises as `plan_everyone` does."""
    need_a_sound_clock(database, clock)
    with database.write(clock.now, "plan", alongside=True) as tx:
        protocols.current(tx)  # where these cannot be read, nobody can be planned, and that is said
        if jobs.live(tx, Task.PLAN_BATCH):
            return 0
        spans = [
            {"clinic_id": clinic_id, "first": first, "last": last}
            for clinic_id in clinics.clinic_ids(tx)
            for first, last in patients.spans(tx, clinic_id, PLANNED_TOGETHER)
        ]
        engine.defer_all(tx, [Job(Task.PLAN_BATCH, span) for span in spans])
    return len(spans)
