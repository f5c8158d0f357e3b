"""Makes the stored reminders agree with the facts, inside the transaction that changed the facts.

Invariants: planning twice changes nothing; whatever plans also checks the backlog rule before it commits; nothing is
planned by a clock that cannot be right.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reminders.clock import Clock
from reminders.domain.backlog import least_backlog, overdue_before, sending_days_looked_at
from reminders.domain.facts import PatientFacts, Rules
from reminders.domain.lifecycle import State
from reminders.domain.planner import Action, Change, reconcile, wanted
from reminders.domain.sending_hours import end_of_day, moment
from reminders.services.blanking import blank_spent
from reminders.services.calendar import rules_for
from reminders.services.find import clinic_of
from reminders.services.guarding.doubted import held_back
from reminders.services.guarding.lock import leave_for_later, need_a_sound_clock, suspected
from reminders.services.insist import Patience
from reminders.services.points import nothing
from reminders.services.turns import Turns
from reminders.store import clinics, facts, installation, patients, protocols, reminders
from reminders.store.apart import ODD_DATA, apart
from reminders.store.clinics import Clinic
from reminders.store.database import Database, Transaction

BATCH = 200
"""How many patients a transaction plans: a tenth of a second's work, since nobody else can write meanwhile."""
LOOKED_AT_AGAIN = dt.timedelta(hours=1)
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class PlanOutcome:
    """How many reminders were inserted, moved, withdrawn, restored, held or expired; and held by the backlog rule.

    `patients` were looked at; `skipped` more have rows that cannot be read, and were left as they are.
    """

    changes: Counter[Action] = field(default_factory=Counter)
    backlog_held: int = 0
    patients: int = 0
    skipped: int = 0

    def __add__(self, other: "PlanOutcome") -> "PlanOutcome":
        """Add up two outcomes."""
        return PlanOutcome(
            self.changes + other.changes,
            self.backlog_held + other.backlog_held,
            self.patients + other.patients,
            self.skipped + other.skipped,
        )


def plan_patients(
    tx: Transaction,
    clinic: Clinic,
    patient_ids: Sequence[int],
    rules: Rules | None = None,
    known: Mapping[int, PatientFacts] | None = None,
) -> PlanOutcome:
    """Plan these patients of one clinic in the caller's transaction, then check the clinic's backlog.

    Their facts are `known` where the caller has looked them up in the transaction, after whatever it changed of them.
    Under a clock that cannot be right they are marked and left as they are: what it expired would be lost for good.
    """
    if suspected(tx) is not None:
        leave_for_later(tx, clinic.id, patient_ids)
        return PlanOutcome(patients=len(patient_ids))
    rules = rules or rules_for(tx, clinic)
    known = facts.facts(tx, patient_ids) if known is None else known
    stored = reminders.stored(tx, patient_ids)
    doubtful_before = installation.doubtful_before(tx)
    applied: list[tuple[int, int, Sequence[Change]]] = []
    wakes: list[tuple[int, dt.datetime | None]] = []
    counted: Counter[Action] = Counter()
    for patient_id in patient_ids:
        plan = wanted(known[patient_id], rules, tx.now)
        changes = held_back(reconcile(stored.get(patient_id, ()), plan, tx.now), doubtful_before)
        wakes.append((patient_id, plan.next_change))
        if changes:
            applied.append((clinic.id, patient_id, changes))
            counted.update(change.action for change in changes if not _was_withdrawn_before(change))
    reminders.apply_many(tx, applied)
    changes_made = [change for _, _, changes in applied for change in changes]
    blank_spent(tx, [c.reminder.id for c in changes_made if c.reminder and c.action is Action.EXPIRE])
    reminders.set_replan_at(tx, wakes)
    return PlanOutcome(counted, hold_backlog(tx, clinic, rules), len(patient_ids))


def hold_backlog(tx: Transaction, clinic: Clinic, rules: Rules) -> int:
    """Hold the clinic's overdue reminders when they are a backlog; return how many were held (promise 7)."""
    calendar = rules.calendar
    before = overdue_before(calendar, tx.now)
    least = least_backlog(())
    if reminders.overdue_count(tx, clinic.id, before, least) < least:
        return 0
    days = sending_days_looked_at(calendar, tx.now)
    spans = [(moment(calendar.zone, day), end_of_day(calendar.zone, day)) for day in days]
    least = least_backlog(reminders.sent_between(tx, clinic.id, spans))
    if reminders.overdue_count(tx, clinic.id, before, least) < least:
        return 0
    return reminders.hold_backlog(tx, clinic.id, before)


def plan_clinic(tx: Transaction, clinic: Clinic, progress: Progress | None = None) -> PlanOutcome:
    """Plan every patient of one clinic in the caller's transaction (its calendar or rules changed)."""
    outcome = PlanOutcome()
    rules = rules_for(tx, clinic)
    for batch in _batches(tx, clinic.id):
        outcome += _plan_apart(tx, clinic, batch, rules)
        if progress:
            progress(outcome.patients, None)
    return outcome


def plan_everyone(
    database: Database, clock: Clock, progress: Progress | None = None, patience: Patience | None = None
) -> PlanOutcome:
    """Plan every patient of every clinic, a batch per transaction: a crash leaves whole patients, run it again.

    Others write in between, as `patience` spends the time.
    Raises `SendingLocked` under a clock that cannot be right: what it would expire is lost for good.
    """
    need_a_sound_clock(database, clock)
    with database.read(clock.now()) as tx:
        protocols.current(tx)  # where these cannot be read, nobody can be planned, and that is said
        everyone = clinics.clinic_ids(tx)
        total = patients.count(tx)
    outcome, turns = PlanOutcome(), Turns(database, patience or Patience())
    for clinic_id in everyone:
        for done in _plan_span(turns, clock, clinic_id, 1):
            outcome += done
            if progress:
                progress(outcome.patients, total)
    return outcome


def plan_span(
    database: Database, clock: Clock, clinic_id: int, first: int, last: int, progress: Progress | None = None
) -> PlanOutcome:
    """Plan those of a clinic's patients whose ids lie between `first` and `last`, both included, as the above does."""
    need_a_sound_clock(database, clock)
    outcome = PlanOutcome()
    for done in _plan_span(Turns(database), clock, clinic_id, first, last):
        outcome += done
        if progress:
            progress(outcome.patients, None)
    return outcome


def _plan_span(
    turns: Turns, clock: Clock, clinic_id: int, first: int, last: int | None = None
) -> Iterator[PlanOutcome]:
    """Plan patients by their ids, a batch per transaction; yield what each did."""
    after = first - 1
    while True:
        with turns.write(clock.now, "plan") as tx:
            found = [patient_id for patient_id, _ in patients.patients_of(tx, clinic_id, after, BATCH)]
            batch = [patient_id for patient_id in found if last is None or patient_id <= last]
            if not batch:
                return
            outcome = plan_readable(tx, clinic_id, batch)
        yield outcome
        after = batch[-1]


def plan_due_changes(
    database: Database, clock: Clock, beat: Callable[[], None] = nothing, patience: Patience | None = None
) -> PlanOutcome:
    """Plan the patients for whom time alone lifted a restriction (a hold, a booking or a minority ended).

    Whose rows cannot be read is tried again in an hour. `beat` is called at every batch.
    """
    outcome, turns = PlanOutcome(), Turns(database, patience or Patience())
    while True:
        beat()
        with turns.write(clock.now, "plan") as tx:
            batch = reminders.due_for_replanning(tx, tx.now, BATCH)
            if not batch or suspected(tx) is not None:  # then they would be left for later, again and again
                return outcome
            for clinic_id, ids in _by_clinic(batch):
                outcome += plan_readable(tx, clinic_id, ids)


def plan_readable(tx: Transaction, clinic_id: int, patient_ids: Sequence[int]) -> PlanOutcome:
    """Plan those of a clinic's patients whose rows can be read, and nobody where the clinic's own cannot.

    The others are left as they are, and looked at again in an hour.
    """
    try:
        with apart(tx):
            clinic = clinic_of(tx, clinic_id)
            rules = rules_for(tx, clinic)
    except ODD_DATA:
        return _skip(tx, patient_ids)
    return _plan_apart(tx, clinic, patient_ids, rules)


def _plan_apart(tx: Transaction, clinic: Clinic, patient_ids: Sequence[int], rules: Rules) -> PlanOutcome:
    """Plan them together, or else in two halves, so that one patient's damaged rows keep nobody else waiting."""
    try:
        with apart(tx):
            return plan_patients(tx, clinic, patient_ids, rules)
    except ODD_DATA:
        if len(patient_ids) == 1:
            return _skip(tx, patient_ids)
    middle = len(patient_ids) // 2
    halves = (patient_ids[:middle], patient_ids[middle:])
    return sum((_plan_apart(tx, clinic, half, rules) for half in halves), PlanOutcome())


def _skip(tx: Transaction, patient_ids: Sequence[int]) -> PlanOutcome:
    reminders.set_replan_at(tx, [(patient_id, tx.now + LOOKED_AT_AGAIN) for patient_id in patient_ids])
    return PlanOutcome(skipped=len(patient_ids))


def _by_clinic(pairs: Iterable[tuple[int, int]]) -> Iterator[tuple[int, list[int]]]:
    grouped: dict[int, list[int]] = {}
    for patient_id, clinic_id in pairs:
        grouped.setdefault(clinic_id, []).append(patient_id)
    yield from grouped.items()


def _batches(tx: Transaction, clinic_id: int) -> Iterator[list[int]]:
    after = 0
    while batch := [patient_id for patient_id, _ in patients.patients_of(tx, clinic_id, after, BATCH)]:
        yield batch
        after = batch[-1]


def _was_withdrawn_before(change: Change) -> bool:
    """Tell whether a change gives new days, or another reason, to what was withdrawn already: nobody sees that."""
    return change.action is Action.WITHDRAW and change.reminder is not None and change.reminder.state is State.CANCELLED
