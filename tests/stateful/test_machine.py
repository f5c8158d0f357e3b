"""Any history of a clinic keeps the promises: Hypothesis writes the histories, a ledger of its own judges them."""

import datetime as dt
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from reminders.domain.answers import AnswerKind
from reminders.domain.facts import Kind, Outcome
from reminders.domain.lifecycle import Reason, State
from reminders.errors import RemindersError
from reminders.services import book, clinic, decide, patient
from reminders.services.answering import answer
from reminders.services.answering.answer import Reply
from reminders.services.catalogue import import_catalogue
from reminders.services.find import the_clinic
from reminders.services.importing.bring_in import ImportRequest, bring_in
from reminders.services.points import Point
from tests.stateful.world import SLUGS, Person, World, founded
from tests.support.database import Templates
from tests.support.facts import protocol
from tests.support.post import Mood

PROTOCOLS = ("botulinum-cosmetic", "botulinum-cosmetic", "botulinum-migraine", "filler-lips")
FOR_EVER = dt.date(9999, 1, 1)


class Clinic(RuleBasedStateMachine):
    """What staff, patients, time, mail servers and dying machines do to two clinics."""

    people = Bundle("people")
    entries = Bundle("entries")
    bookings = Bundle("bookings")

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.template)
        self.office = self.world.office
        self.ledger = self.world.ledger
        self.number = 0

    def teardown(self) -> None:
        try:
            self.world.post.moods.clear()
            self.world.deliver(1)  # it lets expire what had its days, and takes what a dead worker left
            self.world.check()
            self.world.audit(at_rest=True)
        finally:
            self.world.close()

    def attempt(self, do: Callable[[], object]) -> bool:
        """Do something that the product may refuse, leaving everything as it was; say whether it was done."""
        before = self.office.rows()
        try:
            do()
        except RemindersError:
            assert self.office.rows() == before
            return False
        return True

    # people and facts
    @initialize(target=people)
    def begin(self) -> object:
        return multiple(self._enrol("riverside"), self._enrol("elm"))

    def _enrol(self, slug: str) -> Person:
        self.number += 1
        ref = f"P{self.number}"
        self.office.add_patient(ref, slug)
        self.office.treat(ref, self.world.today.isoformat(), slug=slug)
        self.world.people.append((slug, ref))
        return slug, ref

    @rule(target=people, slug=st.sampled_from(SLUGS))
    def enrol(self, slug: str) -> Person:
        return self._enrol(slug)

    @rule(
        target=entries,
        person=people,
        code=st.sampled_from(PROTOCOLS),
        ago=st.integers(0, 70),
        kind=st.sampled_from([Kind.TREATMENT, Kind.TREATMENT, Kind.TOUCH_UP]),
    )
    def treat(self, person: Person, code: str, ago: int, kind: Kind) -> object:
        slug, ref = person
        self.number += 1
        entry, day = f"v{self.number}", self.world.today - dt.timedelta(days=ago)
        done = self.attempt(lambda: self.office.treat(ref, day.isoformat(), code, slug, entry, kind=kind))
        return (slug, ref, entry) if done else multiple()

    @rule(entry=consumes(entries))
    def void(self, entry: tuple[str, str, str]) -> None:
        self.attempt(lambda: self.office.void(entry[2], entry[0]))

    @rule(target=entries, entry=consumes(entries), ago=st.integers(0, 20), code=st.sampled_from(PROTOCOLS))
    def correct(self, entry: tuple[str, str, str], ago: int, code: str) -> object:
        slug, ref, old = entry
        self.number += 1
        new, day = f"v{self.number}", self.world.today - dt.timedelta(days=ago)
        done = self.attempt(lambda: self.office.treat(ref, day.isoformat(), code, slug, new, replaces=old))
        return (slug, ref, new) if done else multiple()

    @rule(target=bookings, person=people, ahead=st.integers(0, 30))
    def book(self, person: Person, ahead: int) -> object:
        day = self.world.today + dt.timedelta(days=ahead)
        made: list[int] = []
        if not self.attempt(lambda: made.append(self.office.book(day.isoformat(), person[1], person[0]))):
            return multiple()
        self.ledger.booked[made[0]] = (person, day)
        return made[0]

    @rule(booking=consumes(bookings), outcome=st.sampled_from(Outcome))
    def outcome(self, booking: int, outcome: Outcome) -> None:
        def note() -> None:
            with self.office.write() as tx:
                book.set_outcome(tx, booking, outcome)

        if self.attempt(note) and outcome is not Outcome.KEPT:
            self.ledger.booked.pop(booking, None)

    @rule(person=people, change=st.sampled_from(["email", "due", "known_as", "consent", "died", "stop"]))
    def change(self, person: Person, change: str) -> None:
        slug, ref = person
        self.number += 1
        given: dict[str, dict[str, str]] = {
            "email": {"email": f"new{self.number}@{slug}-patients.example"},
            "due": {"due": "14w"},
            "known_as": {"known_as": f"Kit{self.number}"},
            "consent": {"consent": "denied"},
            "died": {"status": "deceased"},
            "stop": {"opt_out": "all"},
        }
        if self.attempt(lambda: self.office.change_patient(ref, slug, **given[change])) and change in (
            "consent",
            "died",
            "stop",
        ):
            self.ledger.never.setdefault(person, set()).add(change)

    @rule(person=people, days=st.one_of(st.none(), st.integers(1, 60)))
    def put_off(self, person: Person, days: int | None) -> None:
        until = self.world.today + dt.timedelta(days=days) if days else None

        def hold() -> None:
            with self.office.write() as tx:
                patient.hold_patient(tx, the_clinic(tx, person[0]), person[1], None, until, "away")

        if self.attempt(hold):
            self.ledger.away[person] = max(self.ledger.away.get(person, dt.date.min), until or FOR_EVER)

    @rule(person=people)
    def end_the_hold(self, person: Person) -> None:
        def end() -> None:
            with self.office.write() as tx:
                patient.end_holds(tx, the_clinic(tx, person[0]), person[1], None)

        if self.attempt(end):
            self.ledger.away.pop(person, None)

    @rule(person=people, kind=st.sampled_from([Reason.REPLIED, Reason.CONSULTATION_REQUESTED]))
    def answers_by_phone(self, person: Person, kind: Reason) -> None:
        self.attempt(lambda: self.office.answer(kind, person[1], person[0]))

    @precondition(lambda self: self.world.tokens)
    @rule(place=st.integers(0, 12), kind=st.sampled_from(AnswerKind), days=st.integers(-40, 40), back=st.booleans())
    def answers_by_link(self, place: int, kind: AnswerKind, days: int, back: bool) -> None:  # noqa: FBT001 - drawn
        token = self.world.tokens[-1 - place % len(self.world.tokens)]
        day = self.world.today + dt.timedelta(days=days)

        def say() -> None:
            with self.office.write() as tx:
                answer.answer(tx, token, Reply(kind, day=day, note="a word"))
                if back:
                    answer.take_back(tx, token)

        self.attempt(say)

    @rule(person=people)
    def erase(self, person: Person) -> None:
        if self.number % 3 == 0 and self.attempt(lambda: self.office.erase(person[1], person[0])):
            self.ledger.never.setdefault(person, set()).add("erased")

    @rule(slug=st.sampled_from(SLUGS), rows=st.integers(1, 3), ago=st.integers(0, 90))
    def bring_in(self, slug: str, rows: int, ago: int) -> None:
        day = self.world.today - dt.timedelta(days=ago)
        lines = ["patient_ref,given_name,email,consent,treatment_ref,protocol,treated_on"]
        for _ in range(rows):
            self.number += 1
            ref = f"I{self.number}"
            lines.append(f"{ref},Ada,{ref.lower()}@{slug}-patients.example,yes,i{self.number},{PROTOCOLS[0]},{day}")
            self.world.people.append((slug, ref))
        path = self.world.folder / "visits.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        for wanted in ("added", "unchanged"):  # a second run of the same file changes nothing
            report = bring_in(
                self.office.database, self.office.clock, self.office.keys, ImportRequest(path=path, clinic=slug)
            )
            assert getattr(report, wanted), report

    # clinics and rules
    @rule(slug=st.sampled_from(SLUGS), ahead=st.integers(1, 20))
    def close_a_day(self, slug: str, ahead: int) -> None:
        day = self.world.today + dt.timedelta(days=ahead)
        with self.office.write() as tx:
            clinic.change_clinic(tx, slug, {}, closed=[day])
        self.ledger.closed.add((slug, day))

    @rule(slug=st.sampled_from(SLUGS), paused=st.booleans())
    def pause(self, slug: str, paused: bool) -> None:  # noqa: FBT001 - drawn
        self.office.pause(slug, paused=paused)

    @rule(window=st.sampled_from(["3m 4m 5m 6m", "3m 5m 6m 8m"]))
    def edit_a_protocol(self, window: str) -> None:
        with self.office.write() as tx:
            import_catalogue(tx, [protocol("botulinum-cosmetic", window, line="face", min_days=90)])

    # time, delivery, death
    @rule(hours=st.sampled_from([1, 2, 5, 24, 24, 72, 168, 24 * 30, 24 * 75]))
    def time_passes(self, hours: int) -> None:
        self.office.clock.advance(hours=hours)

    @rule(minutes=st.sampled_from([1, 4, 45]))
    def the_clock_goes_back(self, minutes: int) -> None:
        self.office.clock.advance(minutes=-minutes)

    @rule()
    def on_the_next_due_day(self) -> None:
        """Go to when something is due, which histories drawn at random would mostly miss."""
        now = self.office.clock.now()
        coming = [row.wake_at for row in self.office.rows() if row.state is State.PLANNED and row.wake_at > now]
        if coming:
            self.office.clock.set(min(coming) + dt.timedelta(minutes=5))

    @rule(moods=st.lists(st.sampled_from(Mood), max_size=4), size=st.integers(1, 4))
    def deliver(self, moods: list[Mood], size: int) -> None:
        self.world.post.moods.clear()
        self.world.post.moods.extend(moods)
        self.world.deliver(size)

    @rule(moods=st.lists(st.sampled_from(Mood), max_size=2))
    def a_day_of_work(self, moods: list[Mood]) -> None:
        """Go to when something is due and deliver it: histories drawn at random would send little else."""
        self.on_the_next_due_day()
        self.deliver(moods, 2)

    @rule()
    def another_day_of_work(self) -> None:
        self.on_the_next_due_day()
        self.deliver([], 3)

    @rule(point=st.sampled_from(Point), size=st.integers(1, 3))
    def die_delivering(self, point: Point, size: int) -> None:
        """Die at a point with something due, and let the next delivery, on the same day, find what was left."""
        self.on_the_next_due_day()
        self.world.post.moods.clear()
        self.world.deliver(size, point)
        self.deliver_after_a_death()

    @rule()
    def deliver_after_a_death(self) -> None:
        self.world.post.moods.clear()
        self.world.deliver(2)

    @rule()
    def plan(self) -> None:
        self.office.plan()
        again = self.office.plan()
        assert sum(again.changes.values()) == again.backlog_held == 0

    # staff decide
    @rule(place=st.integers(0, 9), state=st.sampled_from([State.SENT, State.PLANNED]))
    def settle(self, place: int, state: State) -> None:
        rows = [row for row in self.office.rows() if row.state is State.UNKNOWN]
        if not rows:
            return
        row = rows[place % len(rows)]

        def settle() -> None:
            with self.office.write() as tx:
                decide.settle(tx, row.id, state, "asked")

        if self.attempt(settle) and row.message_id:
            if state is State.SENT:
                self.ledger.settled.add(row.message_id)
            else:
                self.ledger.again[row.message_id] += 1

    @rule(place=st.integers(0, 9))
    def hold_one(self, place: int) -> None:
        rows = [row for row in self.office.rows() if row.state is State.PLANNED]
        if rows:
            self.attempt(lambda: self._decide(decide.hold, rows[place % len(rows)].id, "wait"))

    @rule(place=st.integers(0, 9))
    def let_go(self, place: int) -> None:
        for state, verb in ((State.HELD, decide.release), (State.FAILED, decide.retry)):
            rows = [row for row in self.office.rows() if row.state is state]
            if rows:
                key = rows[place % len(rows)].id
                if self.attempt(partial(self._decide, verb, key)):
                    self.ledger.released.add(key)

    @rule(place=st.integers(0, 9), complaint=st.booleans())
    def comes_back(self, place: int, complaint: bool) -> None:  # noqa: FBT001 - drawn
        rows = [row for row in self.office.rows() if row.state is State.SENT]
        if rows:

            def note() -> None:
                with self.office.write() as tx:
                    decide.came_back(tx, rows[place % len(rows)].id, complaint=complaint)

            self.attempt(note)

    def _decide(self, verb: Callable[..., object], key: int, *more: str) -> None:
        with self.office.write() as tx:
            verb(tx, [key], *more)

    @invariant()
    def the_promises_hold(self) -> None:
        self.world.check()


def play(templates: Templates, examples: int, steps: int, *, derandomize: bool) -> None:
    """Let Hypothesis write so many histories of so many steps."""
    machine = type("Playing", (Clinic,), {"template": templates.file(founded)})
    given = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=derandomize,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=given)


@pytest.mark.timeout(600)
def test_any_history_keeps_the_promises(templates: Templates) -> None:
    play(templates, int(os.environ.get("HISTORIES", "12")), 30, derandomize=True)


@pytest.mark.storm
@pytest.mark.timeout(7200)
def test_long_histories_keep_the_promises(templates: Templates) -> None:
    play(templates, 300, 60, derandomize=False)
