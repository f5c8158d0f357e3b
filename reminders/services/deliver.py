"""Sends everything that is due now, then ends: rescue, withdraw what time has ended, then round after round.

0. Ask whether this is the database that was sent from, and whether the clock can be right (`guarding`). 1. Rescue what
dead workers left (`rescue`). 2. Plan the patients for whom a hold or booking ended, and what a mended template lets go
(`mended`). 3. Expire what had its days. 4. Hold a backlog before anything is claimed. 5. Rounds (`rounds`): claim,
send, settle, until nothing is due, the clinics have closed, or the transport rests. 6. Tell the clinics what patients
answered (`announce`), at any hour. A crash between any two of these leaves work for the next delivery, which starts
with the same steps. Asked to stop, it claims nothing more and ends with the round in hand.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from reminders.domain.lifecycle import State
from reminders.domain.sending_hours import local_day, moment, next_open
from reminders.services.answering.announce import announce
from reminders.services.blanking import blank_spent
from reminders.services.calendar import rules_for, sending_calendar
from reminders.services.choose import Chooser, Letter, Tally, Visit
from reminders.services.find import clinic_of
from reminders.services.guarding.guard import guard
from reminders.services.guarding.lock import refuse_locked
from reminders.services.guarding.sound import need_a_sound_database, need_our_tables, need_room
from reminders.services.means import naming_means
from reminders.services.mended import let_mended_go
from reminders.services.plan import hold_backlog, plan_due_changes
from reminders.services.points import Point
from reminders.services.reconnect import patiently
from reminders.services.rescue import rescue
from reminders.services.rounds import Round, Worker
from reminders.services.turns import Turns
from reminders.services.visits import Visits, due_in_turns
from reminders.store import clinics, outbox, queue, reminders, transports
from reminders.store.apart import ODD_DATA, apart
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction

SWEEP = 1000
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class DeliverOutcome:
    """What a delivery did, counted in reminders; `next_at` is when the next one has something to do.

    `waiting` of the `deferred` wait for another message or for the distance from one, `too_soon` of the `expired` would
    have followed another message too closely. `skipped` counts patients whose rows cannot be read; the
    next delivery looks at them again. `announced` counts the answers that clinics were told of. `stopped` says why the
    transport rests, if it does; `open_until` until when.
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


def deliver(worker: Worker, name: str, round_size: int, progress: Progress | None = None) -> DeliverOutcome:
    """Run one delivery as the worker `name`, `round_size` messages at a time (1 to 32).

    Raises `SendingLocked`, and `MeansLacking` where the machine has no file or socket left for it.
    """
    with naming_means():
        return _deliver(worker, name, round_size, progress)


def _deliver(worker: Worker, name: str, round_size: int, progress: Progress | None) -> DeliverOutcome:
    tally = prepare(worker)
    worker.observe(Point.STARTED)
    chooser = Chooser(worker.keys, name, worker.lease, tally, worker.lookup)
    everybody = partial(due_in_turns, worker.database, worker.clock, chooser.finished)
    resting = _send(worker, chooser, round_size, everybody, progress)
    tally.counts["announced"] = 0 if worker.stop() else announce(worker)
    return outcome(worker, tally, resting)


def deliver_batch(
    worker: Worker, name: str, round_size: int, visits: Sequence[Visit], progress: Progress | None = None
) -> DeliverOutcome:
    """Send what is due to these patients and to nobody else, as the worker `name`; the steps before were another's.

    Everything is looked up afresh: a batch that comes twice, or late, does no harm. Raises as `deliver` does.
    """
    with naming_means():
        need_a_sound_database(worker.database)
        guard(worker.database, worker.clock, worker.place)
        chooser = Chooser(worker.keys, name, worker.lease, Tally(), worker.lookup)
        resting = _send(worker, chooser, round_size, lambda: ((one, other) for one, other in visits), progress)
        return outcome(worker, chooser.tally, resting, ahead=False)


def prepare(worker: Worker) -> Tally:
    """Take the steps before the rounds, of everybody's."""
    database, clock = worker.database, worker.clock
    need_a_sound_database(database)
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
    whom: Callable[[], Iterator[Visit]],
    progress: Progress | None,
) -> dt.datetime | None:
    """Send round after round; return until when the transport rests, if it came to that."""
    rounds = Round(worker, chooser.tally)
    visits = Visits(whom)
    done = 0
    total = patiently(worker, lambda _: _count_due(worker)) if progress else 0
    try:
        while True:
            resting, at_once = patiently(worker, lambda _: _how_things_stand(worker, round_size))
            if resting is not None:
                return resting
            letters = _claim(worker, chooser, visits, at_once)
            if not letters:
                return None
            worker.beat()
            worker.observe(Point.CLAIMED)
            got_through = _run(rounds, visits, letters)
            done += sum(len(letter.held) for letter in letters)
            if progress and got_through:
                progress(done, max(total, done))
    finally:
        worker.lines.close(unused_s=worker.lines_last_s)


def _count_due(worker: Worker) -> int:
    with worker.database.read(worker.clock.now()) as tx:
        return queue.count_due(tx)


def _how_things_stand(worker: Worker, round_size: int) -> tuple[dt.datetime | None, int]:
    """Return until when the transport rests, and how many messages may go at once."""
    with worker.database.read(worker.clock.now()) as tx:
        return worker.breakers.standing(tx, round_size)


def _run(rounds: Round, visits: Visits, letters: Sequence[Letter]) -> bool:
    """Send one round, and note who has to be looked at again; false where the transport stopped it."""
    visits.repeat(rounds.run(letters))
    visits.repeat(letter for letter in letters if letter.others_wait)
    if rounds.stopped is not None:  # it ends: each fault brings the breaker nearer, unless something was accepted
        visits.repeat(letters, always=True)
        rounds.stopped = None
        return False
    return True


def _claim(worker: Worker, chooser: Chooser, visits: Visits, round_size: int) -> list[Letter]:
    """Claim up to `round_size` messages; a transaction looks at as many patients as are still wanted.

    A claim whose answer was lost is looked up: what stands is ours and goes on, the rest is looked for again.
    """
    letters: list[Letter] = []
    counts, finished = chooser.tally.counts, chooser.finished
    before, finished_before = counts.copy(), set(finished)

    def attempt(again: bool) -> list[Letter]:  # noqa: FBT001 - `patiently` says so
        if again and letters and (standing := _still_claimed(worker, chooser, letters)):
            return standing
        if again:
            counts.clear()
            counts.update(before)
            finished.intersection_update(finished_before)
            letters.clear()
            visits.begin()
        while not letters and not worker.stop():
            taken = visits.take(round_size)
            if not taken:
                break
            need_room(worker.database)
            with worker.database.write(worker.clock.now, "deliver", alongside=True) as tx:
                need_our_tables(tx)
                refuse_locked(tx)
                letters.extend(_claim_for(tx, chooser, visits, taken))
        return letters

    return patiently(worker, attempt)


def _still_claimed(worker: Worker, chooser: Chooser, letters: Sequence[Letter]) -> list[Letter]:
    """Return what we hold after all. Asked as a writer who is alone: until the lost claim has ended, nobody knows."""
    with worker.database.write(worker.clock.now, "deliver") as tx:
        return [one for one in letters if outbox.holds(tx, one.held, State.CLAIMED, chooser.worker)]


def _claim_for(tx: Transaction, chooser: Chooser, visits: Visits, taken: Sequence[Visit]) -> list[Letter]:
    """Claim what is due of these patients.

    What a dead worker had begun to send is claimed alone: should it kill this one too, it kills no others' chances.
    """
    suspect = queue.killed_their_worker(tx, [patient_id for _, patient_id in taken]) if len(taken) > 1 else ()
    fine = [visit for visit in taken if visit[1] not in suspect]
    now = fine or taken[:1]
    visits.put_back([visit for visit in taken if visit not in now])
    counts, finished = chooser.tally.counts, chooser.finished
    before, finished_before = counts.copy(), set(finished)
    try:
        with apart(tx):
            letters, later = chooser.claim(tx, now)
    except ODD_DATA:  # rows of one of them cannot be read: that one is skipped, and everybody else's mail goes on
        counts.clear()
        counts.update(before)
        finished.intersection_update(finished_before)
        if len(now) == 1:
            counts["skipped"] += 1
            return []
        return [letter for visit in now for letter in _claim_for(tx, chooser, visits, [visit])]
    visits.put_back(later)
    return letters


def outcome(worker: Worker, tally: Tally, resting: dt.datetime | None, *, ahead: bool = True) -> DeliverOutcome:
    """Return what was counted, and, looking `ahead`, when there is something to do next."""
    with worker.database.read(worker.clock.now()) as tx:
        stopped = transports.breaker(tx, worker.breakers.name).fault if resting else None
        upcoming = next_delivery(tx) if ahead else None
    if resting is not None:
        upcoming = max(upcoming, resting) if upcoming else resting
    names = ("sent", "deferred", "failed", "unknown", "cancelled", "expired", "held", "waiting", "too_soon")
    counts = {name: tally.counts[name] for name in (*names, "announced", "skipped")}
    return DeliverOutcome(**counts, next_at=upcoming, stopped=stopped, open_until=resting)


def next_delivery(tx: Transaction) -> dt.datetime | None:
    """Return the next moment at which a delivery has something to do: something due in open hours, a lapsed lease."""
    moments: list[dt.datetime | None] = []
    with suppress(*ODD_DATA), apart(tx):
        moments.append(queue.next_lapse(tx))
    for clinic in clinics.readable_clinics(tx):
        with suppress(*ODD_DATA), apart(tx):  # a moment or a zone that is none
            wake = queue.next_wake(tx, clinic.id)
            if wake is not None and clinic.paused_at is None:
                moments.append(_next_for(tx, clinic, max(wake, tx.now)))
    return min((at for at in moments if at is not None), default=None)


def _next_for(tx: Transaction, clinic: Clinic, wake: dt.datetime) -> dt.datetime | None:
    """Return when the clinic sends next, from `wake` on; at its daily limit that is another day."""
    calendar = sending_calendar(clinic, tx.now)
    today = moment(clinic.timezone, local_day(clinic.timezone, tx.now))
    if clinic.daily_limit is not None and queue.messages_since(tx, clinic.id, today) >= clinic.daily_limit:
        wake = max(wake, moment(clinic.timezone, local_day(clinic.timezone, tx.now) + dt.timedelta(days=1)))
    return next_open(calendar, wake)
