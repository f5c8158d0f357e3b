"""Chooses and claims what goes out next: one patient, one message, facts looked up afresh, many patients at once.

Invariant: a claim is made in the transaction that looked the facts up, while the clinic sends, within its daily limit,
and for a patient who has no other message on its way.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reminders.domain.facts import Reminder
from reminders.domain.grouping import Grouping, group, history
from reminders.domain.lifecycle import IN_FLIGHT, Reason, State
from reminders.domain.planner import Action, Change, Plan, reconcile, wanted
from reminders.domain.sending_hours import is_open, local_day, moment
from reminders.mail.compose import message_id
from reminders.mail.message import MessageFacts
from reminders.services.agreed import agreed
from reminders.services.beforehand import Foreseen, same_local_day
from reminders.services.blanking import blank_spent
from reminders.services.gate import Gate
from reminders.services.guarding.doubted import held_back
from reminders.services.keys import Keys
from reminders.services.letter import identity, message_facts
from reminders.services.plan import PlanOutcome
from reminders.services.subjects import Lookup, Room, Subject
from reminders.store import installation, messages, outbox, patients, queue, reminders
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction, database_now
from reminders.store.messages import NewMessage, StoredMessage
from reminders.store.outbox import Held
from reminders.store.patients import Patient

Visit = tuple[int, int]
"""A clinic's id, and the id of a patient of it."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A claimed message on its way: about which reminders, and what it must show.

    `subject` is whom it is about as the claim left them, at the moment `claimed_at`; `agreed` says that the facts
    wanted every one of its reminders then, as it was claimed. `others_wait` tells of more of the patient's that is due
    and expires if this message is accepted: decided on once that is known.
    """

    subject: Subject
    held: tuple[Held, ...]
    message: StoredMessage
    facts: MessageFacts
    claimed_at: dt.datetime
    agreed: bool
    others_wait: bool = False
    entry: int = 0
    """The trail's newest entry when it was claimed: what it does not tell of has not changed since."""

    @property
    def clinic_id(self) -> int:
        """Whose message it is."""
        return self.subject.room.clinic.id

    @property
    def patient_id(self) -> int:
        """Whom it goes to."""
        return self.subject.person.id


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
class _Chosen:
    """What is to be claimed of one patient, and the plan that says so."""

    subject: Subject
    plan: Plan
    grouping: Grouping


@dataclass(frozen=True, slots=True)
class Chooser:
    """What claiming needs: who claims, for how long, and with which keys."""

    keys: Keys
    worker: str
    lease: dt.timedelta
    tally: Tally
    lookup: Lookup
    gate: Gate

    def claim(
        self, tx: Transaction, visits: Sequence[Visit], seen: Foreseen | None = None
    ) -> tuple[list[Letter], list[Visit]]:
        """Claim the next message of each of these patients: nothing where nothing is due, not now, or to wait.

        What was `seen` ahead and still holds is not looked up again. Returns with the letters whom it did not look at,
        since those before them use up what their clinic or way may send.
        """
        seen = seen.still(tx) if seen else Foreseen(tx.now, 0)
        rooms = self._rooms(tx, {clinic_id for clinic_id, _ in visits} - self.gate.finished, seen)
        left = self._left_today(tx, rooms)
        asked = [patient_id for clinic_id, patient_id in visits if clinic_id in left]
        people = self.gate.reachable(patients.take_patients(tx, asked), asked)
        subjects = self._planned(tx, self._subjects(tx, rooms, people, seen), seen)
        chosen, later, taken = [], [], Counter[str]()
        for clinic_id, patient_id in visits:
            if (found := subjects.get(patient_id)) is None:
                continue
            if left[clinic_id] <= 0 or self.gate.left_of(clinic_id, taken) <= 0:
                later.append((clinic_id, patient_id))
            elif (one := self._choose(tx, *found)) is not None:
                chosen.append(one)
                left[clinic_id] -= 1
                taken[self.gate.name_of(clinic_id)] += 1
        letters = self._claim(tx, chosen)
        self.gate.took(taken)
        return letters, later

    def _rooms(self, tx: Transaction, clinic_ids: Collection[int], seen: Foreseen) -> dict[int, Room]:
        known = {key: seen.rooms[key] for key in clinic_ids if key in seen.rooms}
        others = set(clinic_ids) - known.keys()
        return known | (self.lookup.rooms(tx, others) if others else {})

    def _subjects(
        self, tx: Transaction, rooms: Mapping[int, Room], people: Mapping[int, Patient], seen: Foreseen
    ) -> dict[int, Subject]:
        known = {key: seen.subjects[key] for key in people if key in seen.subjects}
        others = {key: person for key, person in people.items() if key not in known}
        return known | (self.lookup.subjects(tx, rooms, others) if others else {})

    def _left_today(self, tx: Transaction, rooms: Mapping[int, Room]) -> dict[int, float]:
        """Return the clinics that send now, and how many messages each may send yet.

        Who claims for several clinics waits for them in the order of their ids (`server`).
        """
        found: dict[int, float] = {}
        for clinic_id in sorted(rooms):
            room = rooms[clinic_id]
            if room.clinic.paused_at is None and is_open(room.rules.calendar, tx.now):
                found[clinic_id] = left_by_limit(tx, room.clinic)
            if found.get(clinic_id, 0) <= 0:
                found.pop(clinic_id, None)
                self.gate.finished.add(clinic_id)
        return found

    def _planned(
        self, tx: Transaction, subjects: Mapping[int, Subject], seen: Foreseen
    ) -> dict[int, tuple[Subject, Plan]]:
        """Bring the plans of these patients up to date; return them as they then are."""
        doubtful_before = installation.doubtful_before(tx) if subjects else None
        plans: dict[int, Plan] = {}
        changed: list[tuple[int, int, Sequence[Change]]] = []
        for key, subject in subjects.items():
            plans[key] = seen.plan_of(subject, tx.now)
            if any(reminder.state in IN_FLIGHT for reminder in subject.stored):
                continue
            changes = held_back(reconcile(subject.stored, plans[key], tx.now), doubtful_before)
            if changes:
                changed.append((subject.room.clinic.id, key, changes))
        stored = self._apply(tx, changed)
        return {
            key: (replace(subject, stored=tuple(stored[key])) if key in stored else subject, plans[key])
            for key, subject in subjects.items()
        }

    def _apply(
        self, tx: Transaction, changed: Sequence[tuple[int, int, Sequence[Change]]]
    ) -> dict[int, list[Reminder]]:
        if not changed:
            return {}
        reminders.apply_many(tx, changed)
        every = [change for _, _, changes in changed for change in changes]
        self.tally.planned(PlanOutcome(Counter(change.action for change in every)))
        blank_spent(tx, [c.reminder.id for c in every if c.reminder and c.action is Action.EXPIRE])
        return reminders.stored(tx, [patient_id for _, patient_id, _ in changed])

    def _choose(self, tx: Transaction, subject: Subject, plan: Plan) -> _Chosen | None:
        """Say what goes out of one patient's, and put off what does not; None where nothing goes."""
        if any(reminder.state in IN_FLIGHT for reminder in subject.stored):
            return None
        planned = [reminder for reminder in subject.stored if reminder.state is State.PLANNED]
        calendar = subject.room.rules.calendar
        grouping = group(planned, history(subject.stored, calendar.zone), calendar, tx.now)
        self._put_off(tx, grouping)
        return _Chosen(subject, plan, grouping) if grouping.send else None

    def _put_off(self, tx: Transaction, grouping: Grouping) -> None:
        for wait in grouping.waits:
            queue.postpone(tx, wait.reminder, wait.until, wait.reason)
            self.tally.counts.update(("deferred", "waiting"))
        if grouping.send or not grouping.too_soon:  # nothing expires for a message that may yet be refused
            return
        for reminder in grouping.too_soon:
            reminders.change_state(tx, reminder.id, State.PLANNED, State.EXPIRED, Reason.TOO_SOON)
            self.tally.counts.update(("expired", "too_soon"))
        blank_spent(tx, [reminder.id for reminder in grouping.too_soon])

    def _claim(self, tx: Transaction, chosen: Sequence[_Chosen]) -> list[Letter]:
        if not chosen:
            return []
        shown = [message_facts(one.subject, one.grouping.send, tx.now) for one in chosen]
        kept = self._messages(tx, chosen, shown)
        wants = [(one.grouping.send, message) for one, message in zip(chosen, kept, strict=True)]
        held = outbox.claim(tx, wants, self.worker, database_now(tx) + self.lease)
        found = zip(chosen, shown, kept, held, strict=True)
        return [_letter(one, mine, message, facts, tx.now) for one, facts, message, mine in found if mine]

    def _messages(
        self, tx: Transaction, chosen: Sequence[_Chosen], shown: Sequence[MessageFacts]
    ) -> list[StoredMessage]:
        """Return the message of each: the one kept by an earlier attempt, or a new one."""
        again = [
            messages.message_to_reuse(tx, [reminder.id for reminder in one.grouping.send])
            if any(reminder.message for reminder in one.grouping.send)
            else None
            for one in chosen
        ]
        numbers = messages.count_messages(tx, [one.subject.person.id for one in chosen])
        fresh = [
            self._new(one, facts, numbers[one.subject.person.id])
            for one, facts, kept in zip(chosen, shown, again, strict=True)
            if kept is None
        ]
        added = iter(messages.add_messages(tx, fresh))
        return [kept or next(added) for kept in again]

    def _new(self, one: _Chosen, facts: MessageFacts, number: int) -> NewMessage:
        clinic, patient_id, first = one.subject.room.clinic, one.subject.person.id, one.grouping.send[0]
        seed = self.keys.message_seed(f"{identity(clinic, patient_id, first)}:{number}")
        name = message_id(seed, facts.sender_address)
        return NewMessage(clinic.id, patient_id, name, first.class_name, facts.stage)


def _letter(
    one: _Chosen, held: Sequence[Held], message: StoredMessage, facts: MessageFacts, now: dt.datetime
) -> Letter:
    mine = {reminder.id for reminder in one.grouping.send}
    left = tuple(_claimed(r, message.id) if r.id in mine else r for r in one.subject.stored)
    as_wanted = agreed(one.grouping.send, one.plan, now)
    waits = bool(one.grouping.too_soon)
    return Letter(replace(one.subject, stored=left), tuple(held), message, facts, now, as_wanted, waits)


def _claimed(reminder: Reminder, message_pk: int) -> Reminder:
    """Return a reminder as its claim leaves it."""
    return replace(reminder, state=State.CLAIMED, reason=None, oversleeps=False, message=message_pk, went_at=None)


def left_by_limit(tx: Transaction, clinic: Clinic) -> float:
    """Return how many messages a clinic may send yet today; at its limit, what is due is marked as left by it."""
    if clinic.daily_limit is None:
        return float("inf")
    queue.take_clinic(tx, clinic.id)
    today = moment(clinic.timezone, local_day(clinic.timezone, tx.now))
    left = clinic.daily_limit - queue.messages_since(tx, clinic.id, today)
    if left <= 0:
        queue.leave_by_limit(tx, clinic.id)
    return left


def still_goes(subject: Subject | None, letter: Letter, now: dt.datetime, state: State = State.CLAIMED) -> bool:
    """Tell whether every fact that a message rests on still holds (promise 4); its reminders must be in `state`.

    `subject` is whom it is about, looked up in the transaction that lets it go; None where they are not there.
    """
    if subject is None:
        return False
    room, mine = subject.room, {one.reminder_id for one in letter.held}
    if room.clinic.paused_at is not None or not is_open(room.rules.calendar, now):
        return False
    if subject == letter.subject and letter.agreed and same_local_day(letter.claimed_at, now, room.clinic.timezone):
        return True  # what the claim worked out from the same facts on the same day
    chosen = sorted((r for r in subject.stored if r.id in mine), key=lambda reminder: (reminder.due_at, reminder.id))
    if len(chosen) != len(mine) or any(reminder.state is not state for reminder in chosen):
        return False
    # for what the message shows, these are not sent yet, although the fence may be behind them
    stored = tuple(replace(r, state=State.CLAIMED) if r.id in mine else r for r in subject.stored)
    if not agreed(chosen, wanted(subject.known, room.rules, now), now):
        return False
    return message_facts(replace(subject, stored=stored), chosen, now) == letter.facts
