"""Chooses and claims what goes out next: one patient, one message, facts looked up afresh.

Invariant: a claim is made in the transaction that looked the facts up, while the clinic sends, within its daily limit,
and for a patient who has no other message on its way.
"""

import datetime as dt
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass, field, replace

from reminders.clock import Clock
from reminders.domain.facts import Reminder
from reminders.domain.grouping import Grouping, Past, group
from reminders.domain.lifecycle import IN_FLIGHT, Reason, State
from reminders.domain.planner import Action, Wanted, reconcile, wanted
from reminders.domain.sending_hours import is_open, local_day, moment
from reminders.mail.compose import message_id
from reminders.mail.message import MessageFacts
from reminders.services.blanking import blank_spent
from reminders.services.calendar import rules_for
from reminders.services.find import clinic_of
from reminders.services.guarding.doubted import held_back
from reminders.services.keys import Keys
from reminders.services.letter import Subject, identity, message_facts
from reminders.services.plan import PlanOutcome
from reminders.store import facts, installation, messages, outbox, queue, reminders
from reminders.store.clinics import Clinic
from reminders.store.database import Database, Transaction, database_now
from reminders.store.messages import StoredMessage
from reminders.store.outbox import Held


@dataclass(frozen=True, slots=True)
class Letter:
    """A claimed message on its way: whose, about which reminders, and what it must show."""

    clinic_id: int
    patient_id: int
    held: tuple[Held, ...]
    message: StoredMessage
    facts: MessageFacts
    others_wait: bool = False
    """Whether more of the patient's is due that expires if this message is accepted: decided on once that is known."""


@dataclass(slots=True)
class Tally:
    """What one delivery did so far, in reminders, by the names of the command's JSON."""

    counts: Counter[str] = field(default_factory=Counter)

    def planned(self, outcome: PlanOutcome) -> None:
        """Add what planning withdrew, expired and held on the way."""
        self.counts["cancelled"] += outcome.changes[Action.WITHDRAW]
        self.counts["expired"] += outcome.changes[Action.EXPIRE]
        self.counts["held"] += outcome.changes[Action.HOLD] + outcome.backlog_held


@dataclass(frozen=True, slots=True)
class Chooser:
    """What claiming needs: who claims, for how long, and with which keys."""

    keys: Keys
    worker: str
    lease: dt.timedelta
    tally: Tally
    finished: set[int] = field(default_factory=set)
    """Clinics that send no more in this delivery: paused, outside their hours, or at their daily limit."""

    def claim_next(self, tx: Transaction, clinic_id: int, patient_id: int) -> Letter | None:
        """Claim the next message of one patient, or None: nothing due, not now, not any more, or to wait.

        A transaction that claims for several clinics goes through them in the order of their ids (`server`).
        """
        subject = self._look_up(tx, clinic_id, patient_id)
        if subject is None or any(reminder.state in IN_FLIGHT for reminder in subject.stored):
            return None
        planned = [reminder for reminder in subject.stored if reminder.state is State.PLANNED]
        zone = subject.clinic.timezone
        history = [Past(kind, local_day(zone, at)) for kind, at in queue.past_messages(tx, patient_id)]
        grouping = group(planned, history, subject.rules.calendar, tx.now)
        self._put_off(tx, grouping)
        if not grouping.send:
            return None
        letter = self._claim(tx, subject, grouping.send)
        return replace(letter, others_wait=bool(grouping.too_soon)) if letter else None

    def _look_up(self, tx: Transaction, clinic_id: int, patient_id: int) -> Subject | None:
        """Plan this patient afresh; None when the clinic does not send now, or another worker is at the patient.

        That one sees the same facts and claims what is due; should it die, the patient is due again.
        """
        clinic = clinic_of(tx, clinic_id)
        rules = rules_for(tx, clinic)
        if clinic.paused_at is not None or not is_open(rules.calendar, tx.now) or limit_reached(tx, clinic):
            self.finished.add(clinic_id)
            return None
        if not queue.take_patient(tx, patient_id):
            return None
        known = facts.facts(tx, [patient_id])[patient_id]
        stored = reminders.stored(tx, [patient_id]).get(patient_id, [])
        plan = wanted(known, rules, tx.now)
        changes = held_back(reconcile(stored, plan, tx.now), installation.doubtful_before(tx))
        if changes:
            reminders.apply(tx, clinic_id, patient_id, changes)
            self.tally.planned(PlanOutcome(Counter(change.action for change in changes)))
            blank_spent(tx, [c.reminder.id for c in changes if c.reminder and c.action is Action.EXPIRE])
            stored = reminders.stored(tx, [patient_id]).get(patient_id, [])
        return Subject(clinic, rules, known, tuple(stored))

    def _put_off(self, tx: Transaction, grouping: Grouping) -> None:
        for wait in grouping.waits:
            queue.postpone(tx, wait.reminder, wait.until, wait.reason)
            self.tally.counts.update(("deferred", "waiting"))
        if grouping.send:  # nothing expires for a message that may yet be refused
            return
        for reminder in grouping.too_soon:
            reminders.change_state(tx, reminder.id, State.PLANNED, State.EXPIRED, Reason.TOO_SOON)
            self.tally.counts.update(("expired", "too_soon"))
        blank_spent(tx, [reminder.id for reminder in grouping.too_soon])

    def _claim(self, tx: Transaction, subject: Subject, chosen: tuple[Reminder, ...]) -> Letter | None:
        patient_id, clinic = subject.known.id, subject.clinic
        shown = message_facts(tx, subject, chosen)
        message = messages.message_to_reuse(tx, [reminder.id for reminder in chosen])
        if message is None:
            number = messages.count_messages(tx, patient_id)
            seed = self.keys.message_seed(f"{identity(clinic, patient_id, chosen[0])}:{number}")
            name = message_id(seed, shown.sender_address)
            message = messages.add_message(tx, clinic.id, patient_id, name, chosen[0].class_name, shown.stage)
        held = outbox.claim(tx, chosen, message, self.worker, database_now(tx) + self.lease)
        return Letter(clinic.id, patient_id, tuple(held), message, shown) if held else None


def limit_reached(tx: Transaction, clinic: Clinic) -> bool:
    """Tell whether the clinic's daily limit leaves what is due for another day, and mark it so."""
    if clinic.daily_limit is None:
        return False
    queue.take_clinic(tx, clinic.id)
    today = moment(clinic.timezone, local_day(clinic.timezone, tx.now))
    if queue.messages_since(tx, clinic.id, today) < clinic.daily_limit:
        return False
    queue.leave_by_limit(tx, clinic.id)
    return True


def still_goes(tx: Transaction, letter: Letter, state: State = State.CLAIMED) -> bool:
    """Tell, in the transaction that lets the message go, whether every fact it rests on still holds (promise 4).

    Its reminders must be in `state`.
    """
    clinic = clinic_of(tx, letter.clinic_id)
    rules = rules_for(tx, clinic)
    if clinic.paused_at is not None or not is_open(rules.calendar, tx.now):
        return False
    known = facts.facts(tx, [letter.patient_id])[letter.patient_id]
    stored = tuple(reminders.stored(tx, [letter.patient_id]).get(letter.patient_id, ()))
    mine = {one.reminder_id for one in letter.held}
    chosen = sorted((r for r in stored if r.id in mine), key=lambda reminder: (reminder.due_at, reminder.id))
    if len(chosen) != len(mine) or any(reminder.state is not state for reminder in chosen):
        return False
    # for what the message shows, these are not sent yet, although the fence may be behind them
    stored = tuple(replace(r, state=State.CLAIMED) if r.id in mine else r for r in stored)
    steps = {(want.episode_id, want.step): want for want in wanted(known, rules, tx.now).steps}
    if not all(_may_go(reminder, steps.get((reminder.episode_id, reminder.step)), tx.now) for reminder in chosen):
        return False
    return message_facts(tx, Subject(clinic, rules, known, stored), chosen) == letter.facts


def _may_go(reminder: Reminder, want: Wanted | None, now: dt.datetime) -> bool:
    """Tell whether the facts still want this reminder, now and as it was claimed.

    The plan leaves a claimed row alone, so a moved window shows in `want` only, and the message offers the old days.
    """
    if want is None:
        return False
    by_hand = reminder.released or reminder.copy > 0
    wanted_now = want.state is State.PLANNED or (want.state is State.HELD and by_hand)
    as_claimed = (reminder.window, reminder.protocol, reminder.class_name) == (
        want.window,
        want.protocol,
        want.class_name,
    )
    return wanted_now and as_claimed and max(want.due_at, want.snoozed_until or want.due_at) <= now < want.not_after


def due_patients(database: Database, clock: Clock, finished: Container[int]) -> Iterator[tuple[int, int]]:
    """Yield (clinic, patient) for everything due, nearest closing day first within a clinic, each patient once.

    A clinic that is `finished` on the way is left.
    """
    with database.read(clock.now()) as tx:
        clinic_ids = queue.clinics_with_due(tx)
    for clinic_id in clinic_ids:
        with database.read(clock.now()) as tx:
            found = queue.due_patients(tx, clinic_id)
        for patient_id in found:
            yield clinic_id, patient_id
            if clinic_id in finished:
                break
