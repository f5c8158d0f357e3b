"""A clinic's busy months, every kind of event, crashes and a moody mail server: the audit has nothing to say."""

import datetime as dt
import random
from pathlib import Path

import pytest

from reminders.domain.answers import AnswerKind
from reminders.domain.facts import Kind, Outcome
from reminders.domain.lifecycle import Reason, State
from reminders.errors import RemindersError
from reminders.mail.transport import transport_for
from reminders.services import book, clinic, decide, patient, record
from reminders.services.answering import answer
from reminders.services.answering.answer import Reply, request_page
from reminders.services.answering.requests import close_request, requests
from reminders.services.catalogue import import_catalogue
from reminders.services.erase import erase
from reminders.services.find import the_clinic
from reminders.services.patient import PatientChange
from reminders.services.points import Point
from reminders.services.record import NewTreatment
from reminders.store import answers, appointments, contacts, patients, protocols, reminders
from reminders.store.database import Transaction
from tests.services.delivered import START, House
from tests.support.facts import CATALOGUE, FACE, MIGRAINE, OAB, protocol
from tests.support.smtp_server import RealServer, real_server

PATIENTS = 14
WEEKS = 30
CODES = [code for code, given in CATALOGUE.items() if given.active]
MOODS = (("RCPT", "451 4.7.1 later"), ("RCPT", "550 5.1.1 no such user"), ("DOT", "452 4.3.1 full"), ("DOT", "554 no"))


class Killed(BaseException):
    """The process is gone."""


class Months:
    """Plays random events, week by week; everything an event refuses is none."""

    def __init__(self, house: House, server: RealServer, seed: int) -> None:
        self.house, self.server, self.chance = house, server, random.Random(seed)
        self.bookings: list[int] = []

    def play(self) -> None:
        for week in range(WEEKS):
            now = START + dt.timedelta(weeks=week)
            for _ in range(self.chance.randint(0, 5)):
                self.house.clock.at = now + dt.timedelta(minutes=self.chance.randint(1, 30))
                self.event()
            for days in self.chance.sample(range(1, 6), self.chance.randint(0, 3)):
                self.deliver(now + dt.timedelta(days=days, minutes=self.chance.randint(0, 400)))

    def event(self) -> None:
        ref = str(self.chance.randint(1, PATIENTS))
        happens = self.chance.choice([getattr(self, name) for name in dir(self) if name.startswith("on_")])
        try:
            if happens == self.on_erasure:
                happens(ref)
                return
            with self.house.database.write(self.house.clock.at, "cli") as tx:
                happens(tx, ref)
        except RemindersError:
            pass

    def deliver(self, at: dt.datetime) -> None:
        for command, reply in MOODS:
            if self.chance.random() < 0.05:
                self.server.script[command].append(reply)
        fatal = self.chance.choice([None, None, None, *Point])

        def observe(point: Point) -> None:
            if point is fatal:
                raise Killed

        try:
            self.house.deliver(at, observe)
        except Killed:
            self.house.deliver(at + dt.timedelta(minutes=2))

    def day(self, least: int, most: int) -> dt.date:
        return self.house.clock.at.date() + dt.timedelta(days=self.chance.randint(least, most))

    def on_treatment(self, tx: Transaction, ref: str) -> None:
        kind = self.chance.choice([Kind.TREATMENT, Kind.TREATMENT, Kind.TOUCH_UP])
        entry = NewTreatment(patient=ref, protocol=self.chance.choice(CODES), day=self.day(-60, 0), kind=kind)
        record.add_treatment(tx, the_clinic(tx, "linden"), entry)

    on_another_treatment = on_one_more_treatment = on_treatment

    def on_mistake(self, tx: Transaction, ref: str) -> None:
        place = the_clinic(tx, "linden")
        entry = NewTreatment(patient=ref, protocol=self.chance.choice(CODES), day=self.day(-30, 0), ref=f"v{ref}")
        row = record.add_treatment(tx, place, entry)
        if self.chance.random() < 0.5:
            record.void_treatment(tx, place, row, "wrong patient")
        else:
            other = NewTreatment(
                patient=ref, protocol=self.chance.choice(CODES), day=self.day(-30, 0), replaces=f"v{ref}"
            )
            record.add_treatment(tx, place, other)

    def on_booking(self, tx: Transaction, ref: str) -> None:
        line = self.chance.choice([None, "face", "migraine"])
        self.bookings.append(book.add_appointment(tx, the_clinic(tx, "linden"), ref, self.day(0, 40), line))

    def on_same_booking(self, tx: Transaction, _: str) -> None:
        booked = appointments.appointment_by_id(tx, self.chance.choice(self.bookings)) if self.bookings else None
        if booked is not None:
            person = patients.patient_by_id(tx, booked.patient_id)
            book.add_appointment(tx, the_clinic(tx, "linden"), person.ref, booked.day, booked.line)

    def on_outcome(self, tx: Transaction, _: str) -> None:
        if self.bookings:
            book.set_outcome(tx, self.chance.choice(self.bookings), self.chance.choice(list(Outcome)))

    def on_hold(self, tx: Transaction, ref: str) -> None:
        until = self.chance.choice([None, self.day(1, 40)])
        patient.hold_patient(tx, the_clinic(tx, "linden"), ref, None, until, "x")

    def on_end_of_holds(self, tx: Transaction, _: str) -> None:
        for held in {ref for ref in map(str, range(1, PATIENTS + 1)) if contacts.holds(tx, int(ref))}:
            patient.end_holds(tx, the_clinic(tx, "linden"), held, None)

    def on_answer(self, tx: Transaction, ref: str) -> None:
        patient.log_answer(tx, the_clinic(tx, "linden"), ref, Reason.REPLIED)

    def on_patients_answer(self, tx: Transaction, _: str) -> None:
        if not self.house.tokens:
            return
        token, kind = self.chance.choice(self.house.tokens[-12:]), self.chance.choice(list(AnswerKind))
        page = request_page(tx, token)
        days: list[dt.date | None] = [None, self.day(0, 40)]
        if page is not None:
            days += page.later_days if kind is AnswerKind.REMIND_LATER else page.elsewhere_months
        reply = Reply(kind, day=self.chance.choice(days), note="a word", everything=self.chance.random() < 0.2)
        answer.answer(tx, token, reply)

    on_patients_other_answer = on_patients_answer

    def on_patients_second_thoughts(self, tx: Transaction, _: str) -> None:
        for token in self.house.tokens[-20:]:
            if self.chance.random() < 0.3:
                answer.take_back(tx, token)
            answer.allow_again(tx, token)

    def on_one_click(self, tx: Transaction, _: str) -> None:
        if self.house.tokens and self.chance.random() < 0.3:
            answer.stop(tx, self.chance.choice(self.house.tokens), everything=False)

    def on_closed_answers(self, tx: Transaction, _: str) -> None:
        for said in {ref for ref in map(str, range(1, PATIENTS + 1)) if answers.open_answers(tx, int(ref))}:
            patient.close_answers(tx, the_clinic(tx, "linden"), said)

    def on_denied_answer(self, tx: Transaction, _: str) -> None:
        said = requests(tx, "linden", closed=True)
        if said:
            close_request(tx, self.chance.choice(said).id, "not so", untrue=True)

    def on_change(self, tx: Transaction, ref: str) -> None:
        change = self.chance.choice(
            [
                PatientChange({"status": "deceased"}),
                PatientChange({"consent": "denied"}),
                PatientChange(opt_out="cosmetic"),
                *[PatientChange({"status": "active", "consent": "granted"}, opt_in="cosmetic", undo_death=True)] * 4,
                PatientChange({"known_as": "Ody"}),
                PatientChange({"email": f"new{self.chance.random()}@home.test"}),
                PatientChange(due="14w"),
            ]
        )
        patient.change_patient(tx, self.house.keys, the_clinic(tx, "linden"), ref, change)

    def on_calendar(self, tx: Transaction, _: str) -> None:
        hours = self.chance.choice(["09:00-17:00", "08:00-12:00", "12:00-20:00"])
        clinic.change_clinic(tx, "linden", {"sending_hours": hours}, closed=[self.day(0, 60)])

    def on_catalogue(self, tx: Transaction, _: str) -> None:
        face = protocol(
            "botulinum-cosmetic", self.chance.choice(["3m 4m 5m 6m", "3m 5m 6m 8m"]), line="face", min_days=90
        )
        import_catalogue(tx, [face])

    def on_decision(self, tx: Transaction, _: str) -> None:
        rows = list(reminders.listing(tx, states=[State.HELD, State.FAILED, State.UNKNOWN]))
        if rows:
            row = self.chance.choice(rows)
            verdict = self.chance.choice([State.SENT, State.PLANNED])
            {State.HELD: lambda: decide.release(tx, [row.id]), State.FAILED: lambda: decide.retry(tx, [row.id])}.get(
                row.state, lambda: decide.settle(tx, row.id, verdict, "asked")
            )()

    def on_bounce(self, tx: Transaction, _: str) -> None:
        rows = list(reminders.listing(tx, states=[State.SENT]))
        if rows and self.chance.random() < 0.3:
            decide.came_back(tx, self.chance.choice(rows).id, complaint=self.chance.random() < 0.2)

    def on_erasure(self, ref: str) -> None:
        if self.chance.random() < 0.05:
            erase(self.house.database, self.house.clock, "linden", ref)


@pytest.mark.parametrize("seed", range(2))
def test_months_of_everything_leave_the_audit_nothing_to_say(database_url: str, tmp_path: Path, seed: int) -> None:
    _months(database_url, tmp_path, seed)


def test_months_of_everything_on_a_server_leave_the_audit_nothing_to_say(postgres_url: str, tmp_path: Path) -> None:
    _months(postgres_url, tmp_path, seed=0)


def _months(url: str, folder: Path, seed: int) -> None:
    with real_server() as server:
        transport = transport_for(f"smtp://{server.host}:{server.port}?tls=never")
        house = House(url, folder / "out", transport).found()
        for number, code in zip(range(1, PATIENTS + 1), [FACE, MIGRAINE, OAB, FACE, FACE] * PATIENTS, strict=False):
            house.treat(str(number), on="2026-02-20", protocol=code.code)
        Months(house, server, seed).play()
    report = house.audit()
    assert report.findings == ()
    assert report.checked["messages"] > 5
    with house.database.read(house.clock.at) as tx:
        assert protocols.current(tx)["botulinum-cosmetic"].version >= 1
    house.database.close()
