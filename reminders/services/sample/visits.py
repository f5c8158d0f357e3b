"""Invents what a sample clinic did in two years: who came when for what, as it was exported and as it is logged.

Invariant: a visit before the clinic began with the product stands in the export; a later one is an event of its day.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from reminders.domain.facts import Kind, Outcome
from reminders.domain.protocol import Protocol
from reminders.services.record import NewTreatment
from reminders.services.sample.people import Person
from reminders.services.sample.script import (
    COLLEAGUE,
    DOCTOR,
    LEAVING,
    NURSE,
    Attend,
    Book,
    Enrol,
    Script,
    Treat,
    working_day,
)

TWO_YEARS = dt.timedelta(days=730)
_LOOK_AHEAD = dt.timedelta(days=28)
_MENU = {
    "botulinum-cosmetic": (40, (DOCTOR, DOCTOR, LEAVING)),
    "filler-lips": (9, (DOCTOR, NURSE)),
    "filler-face": (8, (DOCTOR, LEAVING)),
    "filler-tear-trough": (2, (DOCTOR,)),
    "skin-booster": (8, (NURSE,)),
    "peel-medium": (6, (NURSE,)),
    "microneedling-course": (5, (NURSE,)),
    "laser-hair-course": (5, (NURSE,)),
    "botulinum-migraine": (9, (COLLEAGUE,)),
    "botulinum-hyperhidrosis": (4, (COLLEAGUE,)),
    "botulinum-spasticity": (2, (COLLEAGUE,)),
    "botulinum-cervical-dystonia": (2, (COLLEAGUE,)),
}
"""How often each protocol is given, and by whom."""

_LINES_OF_A_PATIENT = ((1, 2, 3), (72, 23, 5))
_CONSENTS = (("granted", "existing_customer", "unknown", "denied"), (80, 13, 4, 3))
_STAYS_AWAY, _TOUCHED_UP, _BOOKS, _MISSES = 0.14, 0.12, 0.6, 0.07
_WITHOUT_ADDRESS = 0.03


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit: its day, what for, by whom, and whether it only touched up."""

    day: dt.date
    protocol: Protocol
    practitioner: str
    kind: Kind = Kind.TREATMENT


def regulars(script: Script, count: int) -> list[dict[str, str]]:
    """Invent `count` patients of the clinic; return the rows of its export, and script the visits since."""
    rows: list[dict[str, str]] = []
    for _ in range(count):
        ref, person = script.number(), next(script.people)
        record = _record(script, ref, person)
        visits = sorted(_visits(script), key=lambda visit: visit.day)
        old = [visit for visit in visits if visit.day <= script.first]
        rows += [record | _row(visit) for visit in old]
        if not old and visits and visits[0].day <= script.last:
            given = {name: value for name, value in record.items() if value and name in _GIVEN}
            script.on(visits[0].day, Enrol(ref, given | {"birth_date": person.born}))
        for visit in visits:
            if visit.day > script.first and (old or visits[0].day <= script.last):
                _script_visit(script, ref, visit, known=bool(old) or visit is not visits[0])
    return rows


_GIVEN = ("given_name", "family_name", "email", "phone", "consent")


def newcomers(script: Script, due: int, later: int) -> list[dict[str, str]]:
    """Return the export of a branch that never wrote to anybody: `due` patients waiting for a word, `later` not yet."""
    rows = []
    for number in range(due + later):
        person = next(script.people)
        record = _record(script, f"H-{number + 1:03}", person) | {"consent": "granted", "email": person.email}
        code = script.chance.choice(
            ("botulinum-cosmetic", "botulinum-cosmetic", "filler-lips", "botulinum-cosmetic-long")
        )
        days = script.chance.randint(5, 18) if number < due else -script.chance.randint(7, 40)
        protocol = script.catalogue[code]
        last = script.began(code, "invitation", script.ago(days))
        first = last - dt.timedelta(days=script.chance.randint(190, 420))
        rows += [record | _row(Visit(day, protocol, "Dr June Park")) for day in (first, last)]
    return rows


def _record(script: Script, ref: str, person: Person) -> dict[str, str]:
    """Return what the clinic's old program knows of somebody."""
    chance = script.chance
    return {
        "patient_ref": ref,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "email": "" if chance.random() < _WITHOUT_ADDRESS else person.email,
        "phone": person.phone,
        "birth_date": person.born.isoformat(),
        "consent": chance.choices(*_CONSENTS)[0],
    }


def _row(visit: Visit) -> dict[str, str]:
    return {
        "protocol": visit.protocol.code,
        "kind": visit.kind,
        "treated_on": visit.day.isoformat(),
        "practitioner": visit.practitioner,
        "visit_status": "completed",
    }


def _visits(script: Script) -> Iterator[Visit]:
    """Yield the visits of one patient, to four weeks after the script's last day: those are booked."""
    chance = script.chance
    codes, weights = list(_MENU), [weight for weight, _ in _MENU.values()]
    lines = chance.choices(*_LINES_OF_A_PATIENT)[0]
    chosen = {script.catalogue[code].clock: code for code in chance.choices(codes, weights, k=lines)}
    for code in chosen.values():
        protocol, practitioners = script.catalogue[code], _MENU[code][1]
        day = script.today - TWO_YEARS + dt.timedelta(days=int(chance.triangular(0, 700, 120)))
        sessions = 0
        while day <= script.last + _LOOK_AHEAD and sessions != protocol.sessions:
            day, sessions = working_day(day), sessions + 1
            yield Visit(day, protocol, chance.choice(practitioners))
            touched_up = working_day(day + dt.timedelta(days=14))
            if chance.random() < _TOUCHED_UP and touched_up <= script.last:
                kind = Kind.REVIEW if protocol.class_name == "medical" else Kind.TOUCH_UP
                yield Visit(touched_up, protocol, chance.choice(practitioners), kind)
            if chance.random() < _STAYS_AWAY:
                break
            usual = (protocol.due.after(day) - day).days
            day += dt.timedelta(days=max(int(usual * chance.gauss(1.04, 0.12)), (protocol.opens.after(day) - day).days))


def _script_visit(script: Script, ref: str, visit: Visit, *, known: bool) -> None:
    """Script a visit: booked before, if the patient is known; then kept or missed; one still to come is only booked."""
    chance, line = script.chance, visit.protocol.clock
    booked_on = visit.day - dt.timedelta(days=chance.randint(4, 15))
    in_time = known and script.first < booked_on <= script.last
    booked = in_time and visit.kind is Kind.TREATMENT and chance.random() < _BOOKS
    if booked:
        script.on(booked_on, Book(ref, visit.day, line))
    if visit.day > script.last:
        return
    missed = booked and chance.random() < _MISSES
    if booked:
        script.on(visit.day, Attend(ref, visit.day, Outcome.MISSED if missed else Outcome.KEPT))
    if not missed:
        practitioner = DOCTOR if visit.practitioner == LEAVING else visit.practitioner
        script.on(visit.day, Treat(NewTreatment(ref, visit.protocol.code, visit.day, practitioner, kind=visit.kind)))
