"""Sends everything that is due now, then ends: rescue, withdraw what time has ended, then round after round.

0. Ask whether this is the database that was sent from, and whether the clock can be right (`guarding`). 1. Rescue what
dead workers left (`rescue`). 2. Plan the patients for whom a hold or booking ended, and what a mended template lets go
(`mended`). 3. Expire what had its days. 4. Hold a backlog before anything is claimed. 5. Rounds (`rounds`): claim,
send, settle, until nothing is due, the clinics have closed, or the transport rests. 6. Tell the clinics what patients
answered (`announce`), at any hour. A crash between any two of these leaves work for the next delivery, which starts
with the same steps. Asked to stop, it claims nothing more and ends with the round in hand.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from reminders.domain.sending_hours import local_day, moment, next_open
from reminders.services.answering.announce import announce
from reminders.services.blanking import blank_spent
from reminders.services.calendar import rules_for, sending_calendar
from reminders.services.choose import Chooser, Letter, Tally, Visit
from reminders.services.claim import claim
from reminders.services.find import clinic_of
from reminders.services.gate import Gate
from reminders.services.guarding.guard import guard
from reminders.services.guarding.sound import on_a_sound_database
from reminders.services.means import naming_means
from reminders.services.mended import let_mended_go
from reminders.services.plan import hold_backlog, plan_due_changes
from reminders.services.points import Point, never
from reminders.services.reconnect import patiently
from reminders.services.rescue import rescue
from reminders.services.rounds import Round, Worker
from reminders.services.turns import Turns
from reminders.services.visits import Visits, due_in_turns
from reminders.services.ways import own_ways
from reminders.store import clinics, queue, reminders, transports
from reminders.store.apart import ODD_DATA, apart
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction

SWEEP = 1000
LARGE = 8
ROUNDS_A_CLAIM = 4
SLICE_S = 0.25
"""How long a delivery waits for a rate before it looks again what may go."""
WAITS_S = 30
"""For so long it waits at most before it sees what else fell due meanwhile."""
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class DeliverOutcome:
    """What a delivery did, counted in reminders; `next_at` is when the next one has something to do.

    `waiting` of the `deferred` wait for another message or for the distance from one, `too_soon` of the `expired` would
    have followed another message too closely. `skipped` counts patients whose rows cannot be read; the
    next delivery looks at them again. `announced` counts the answers that clinics were told of. `stopped` says why a
    transport rests, if one does, `open_until` until when, and `server` which: the one whose rest ends first.
    """

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    unknown: int = 0
    cancelled: int = 0
    expired: int = 0
    held: int = 0
    waiting: int = 0
    too_soon: int = 0
    announced: int = 0
    skipped: int = 0
    next_at: dt.datetime | None = None
    stopped: str | None = None
    open_until: dt.datetime | None = None
    server: str | None = None


def deliver(worker: Worker, name: str, round_size: int, progress: Progress | None = None) -> DeliverOutcome:
    """Run one delivery as the worker `name`, `round_size` messages at a time (1 to 32).

    Raises `SendingLocked`, and `MeansLacking` where the machine has no file or socket left for it.
    """
    with naming_means(), on_a_sound_database(worker.database, worker.clock, worker.place):
        return _deliver(worker, name, round_size, progress)


def _deliver(worker: Worker, name: str, round_size: int, progress: Progress | None) -> DeliverOutcome:
    tally = Tally()
    while True:
        tally.counts.update(prepare(worker).counts)
        worker.observe(Point.STARTED)
        gate = Gate(worker.way, worker.keys, _at_once(round_size))
        chooser = Chooser(worker.keys, name, worker.lease, tally, worker.lookup, gate)
        everybody = partial(due_in_turns, worker.database, worker.clock, gate.finished, gate.passes)
        _send(worker, chooser, round_size, everybody, progress)
        tally.counts["announced"] += 0 if worker.stop() else announce(worker)
        if worker.stop() or not gate.short:
            return outcome(worker, tally, gate)
        with worker.database.read(worker.clock.now()) as tx:  # this may go on for a day
            worker = replace(worker, own=own_ways(tx, worker.keys))


def deliver_batch(
    worker: Worker,
    name: str,
    round_size: int,
    visits: Sequence[Visit],
    progress: Progress | None = None,
    *,
    others_wait: Callable[[], bool] = never,
) -> DeliverOutcome:
    """Send what is due to these patients and to nobody else, as the worker `name`; the steps before were another's.

    Everything is looked up afresh: a batch that comes twice, or late, does no harm. What a rate leaves over stays due
    where other batches wait meanwhile (`others_wait`). Raises as `deliver` does.
    """
    with naming_means(), on_a_sound_database(worker.database, worker.clock, worker.place):
        guard(worker.database, worker.clock, worker.place)
        gate = Gate(worker.way, worker.keys, _at_once(round_size))
        chooser = Chooser(worker.keys, name, worker.lease, Tally(), worker.lookup, gate)
        _send(worker, chooser, round_size, lambda: ((one, other) for one, other in visits), progress, others_wait)
        return outcome(worker, chooser.tally, gate, ahead=False)


def _at_once(round_size: int) -> int:
    """Return how many messages are claimed at once: of large rounds several, which then share what looking up costs."""
    return round_size * ROUNDS_A_CLAIM if round_size >= LARGE else round_size


def prepare(worker: Worker) -> Tally:
    """Take the steps before the rounds, of everybody's."""
    database, clock = worker.database, worker.clock
    guard(database, clock, worker.place)
    tally = Tally()
    rescued = rescue(database, clock)
    tally.counts.update(unknown=rescued.unknown, failed=rescued.failed)
    tally.planned(rescued.plan)
    tally.planned(plan_due_changes(database, clock, worker.beat, worker.patience))
    let_mended_go(worker)
    _sweep(worker, tally)
    return tally


def _sweep(worker: Worker, tally: Tally) -> None:
    """Expire what had its days, and hold each clinic's backlog before anything is claimed."""
    turns = Turns(worker.database, worker.patience)
    while True:
        worker.beat()
        with turns.write(worker.clock.now, "deliver") as tx:
            expired = reminders.expire_passed(tx, SWEEP)
            blank_spent(tx, expired)
        tally.counts["expired"] += len(expired)
        if len(expired) < SWEEP:
            break
    with worker.database.write(worker.clock.now, "deliver") as tx:
        for clinic_id in queue.clinics_with_due(tx):
            with suppress(*ODD_DATA), apart(tx):  # of a clinic that cannot be read nothing is claimed either
                clinic = clinic_of(tx, clinic_id)
                tally.counts["held"] += hold_backlog(tx, clinic, rules_for(tx, clinic))


def _send(
    worker: Worker,
    chooser: Chooser,
    round_size: int,
    whom: Callable[[], Iterator[Visit | None]],
    progress: Progress | None,
    others_wait: Callable[[], bool] = never,
) -> None:
    """Send round after round, until nothing is left that may go now.

    Where a rate allows no more just now, what it left is waited for, until it is time to see what else fell due.
    """
    rounds, gate, time = Round(worker, chooser.tally), chooser.gate, worker.patience.time
    visits = Visits(whom, gate.passes)
    done, waiting_since = 0, None
    total = patiently(worker, lambda _: _count_due(worker)) if progress else 0
    try:
        while (at_once := patiently(worker, lambda _: _how_things_stand(worker, gate))) > 0:
            letters = claim(worker, chooser, visits, at_once)
            worker.beat()
            if not letters:
                waiting_since = waiting_since or time.monotonic()
                late = time.monotonic() - waiting_since >= WAITS_S
                if worker.stop() or not gate.short or late or others_wait():
                    return
                worker.patience.wait(SLICE_S)
                continue
            worker.observe(Point.CLAIMED)
            for begin in range(0, len(letters), round_size):
                worker.beat()
                now, later = letters[begin : begin + round_size], letters[begin + round_size :]
                got_through = _run(rounds, visits, now, later)
                done += sum(len(letter.held) for letter in now)
                if not got_through:
                    break
                if progress:
                    progress(done, max(total, done))
    finally:
        worker.lines.close(unused_s=worker.lines_last_s)


def _count_due(worker: Worker) -> int:
    with worker.database.read(worker.clock.now()) as tx:
        return queue.count_due(tx)


def _how_things_stand(worker: Worker, gate: Gate) -> int:
    """Return how many patients to look at for the next round; none while the only way there is rests."""
    with worker.database.read(worker.clock.now()) as tx:
        gate.look(tx)
    room = 0 if worker.shared is None else gate.room(worker.shared)
    if worker.own:
        return gate.usual
    return 0 if gate.resting else max(room, 1)


def _run(rounds: Round, visits: Visits, letters: Sequence[Letter], later: Sequence[Letter]) -> bool:
    """Send one round, and note who has to be looked at again; false where a transport's fault stopped some of it.

    Then those who were claimed for `later` go back to the plan.
    """
    visits.repeat(rounds.run(letters, later))
    visits.repeat(letter for letter in letters if letter.others_wait)
    # what was stopped ends: each fault brings the breaker nearer, unless something was accepted
    stopped = [letter for letter in letters if rounds.stopped(letter)]
    visits.repeat(stopped, always=True)
    rounds.faults.clear()
    if later and (stopped or rounds.worker.stop()):
        rounds.put_back(later)
        visits.repeat(later, always=True)
        return False
    return not stopped


def outcome(worker: Worker, tally: Tally, gate: Gate, *, ahead: bool = True) -> DeliverOutcome:
    """Return what was counted, and, looking `ahead`, when there is something to do next."""
    name = min(gate.resting, key=gate.resting.__getitem__, default="")
    resting = gate.resting.get(name)
    with worker.database.read(worker.clock.now()) as tx:
        stopped = transports.breaker(tx, name).fault if resting else None
        upcoming = next_delivery(tx, gate.not_before) if ahead else None
    if resting is not None and not worker.own:
        upcoming = max(upcoming, resting) if upcoming else resting
    names = ("sent", "deferred", "failed", "unknown", "cancelled", "expired", "held", "waiting", "too_soon")
    counts = {name: tally.counts[name] for name in (*names, "announced", "skipped")}
    return DeliverOutcome(**counts, next_at=upcoming, stopped=stopped, open_until=resting, server=name or None)


def next_delivery(tx: Transaction, not_before: Mapping[int, dt.datetime | None] | None = None) -> dt.datetime | None:
    """Return the next moment at which a delivery has something to do: something due in open hours, a lapsed lease.

    What is due at the clinics of `not_before` waits until then; None is for a person.
    """
    moments: list[dt.datetime | None] = []
    with suppress(*ODD_DATA), apart(tx):
        moments.append(queue.next_lapse(tx))
    for clinic in clinics.readable_clinics(tx):
        with suppress(*ODD_DATA), apart(tx):  # a moment or a zone that is none
            wake = _next_wake(tx, clinic.id, not_before or {})
            if wake is not None and clinic.paused_at is None:
                moments.append(_next_for(tx, clinic, max(wake, tx.now)))
    return min((at for at in moments if at is not None), default=None)


def _next_wake(tx: Transaction, clinic_id: int, not_before: Mapping[int, dt.datetime | None]) -> dt.datetime | None:
    wake = queue.next_wake(tx, clinic_id)
    if wake is None or wake > tx.now or clinic_id not in not_before:
        return wake
    found = (not_before[clinic_id], queue.next_wake(tx, clinic_id, after=tx.now))
    return min((at for at in found if at is not None), default=None)


def _next_for(tx: Transaction, clinic: Clinic, wake: dt.datetime) -> dt.datetime | None:
    """Return when the clinic sends next, from `wake` on; at its daily limit that is another day."""
    calendar = sending_calendar(clinic, tx.now)
    today = moment(clinic.timezone, local_day(clinic.timezone, tx.now))
    if clinic.daily_limit is not None and queue.messages_since(tx, clinic.id, today) >= clinic.daily_limit:
        wake = max(wake, moment(clinic.timezone, local_day(clinic.timezone, tx.now) + dt.timedelta(days=1)))
    return next_open(calendar, wake)
