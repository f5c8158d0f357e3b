"""Compares the rows of a patient's facts with what the audit trail tells of them (promises 4 and 10).

Invariant: only what the trail says is compared: that a fact was entered, ended or taken back, and when. A fact's own
words and days do not stand there; of its days and lines there are codes, which `codes` compares.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reminders.domain.facts import Consent, Status
from reminders.store.answers import MAY_ASK_NOBODY, StoredAnswer
from reminders.store.audit_trail import Entry
from reminders.store.evidence import Evidence

_ENTERED = frozenset({"appointment", "answer", "hold", "treatment"})
_ADDED_BY = {"answer": "answer"}
_LOOSENS = frozenset(
    {
        ("hold", "end", True),
        ("answer", "withdraw", True),
        ("answer", "close", True),
        ("treatment", "withdraw", False),
        ("patient", "erase", False),
    }
)
"""(subject, action, whether the row says so): differences that let out what the trail holds back."""

Told = tuple[int, str]
"""A promise's number, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A row of a fact: when it was entered, and by action when that was done to it (None: it was not)."""

    subject: str
    id: int
    at: dt.datetime
    later: Mapping[str, dt.datetime | None] = field(default_factory=dict)


def unexplained(known: Evidence) -> Iterator[Told]:
    """Yield facts that the trail does not know of, that it knows otherwise, and that are gone."""
    told: dict[tuple[str, int], list[Entry]] = defaultdict(list)
    for entry in known.trail:
        if entry.subject_id is not None:
            told[entry.subject, entry.subject_id].append(entry)
    stored = [*_facts(known), *(_answered(said, told.get(("answer", said.id), ())) for said in known.answers)]
    for fact in stored:
        yield from _compared(fact, told.get((fact.subject, fact.id), ()))
    yield from _gone(told, {(fact.subject, fact.id) for fact in stored})
    yield from _outcomes(known, told)
    yield from _opt_outs(known)
    yield from _own_intervals(known)
    yield from _of_the_person(known)


def _facts(known: Evidence) -> Iterator[Fact]:
    yield Fact("patient", known.person.id, known.person.created_at, {"erase": known.person.erased_at})
    for entry in known.entries:
        yield Fact("treatment", entry.id, entry.entered_at, {"withdraw": entry.withdrawn_at})
    for booking in known.bookings:
        yield Fact("appointment", booking.id, booking.created_at)
    for pause in known.pauses:
        yield Fact("hold", pause.id, pause.at, {"end": pause.ended_at})


def _answered(said: StoredAnswer, trail: Sequence[Entry]) -> Fact:
    """Return the fact of an answer: what asks nobody is closed from the start, and nobody is on the trail who did it.

    Entries from before the trail told what asks nobody leave it open where the kind may.
    """
    asks = next((entry.told["asks"] for entry in trail if "asks" in entry.told), said.kind not in MAY_ASK_NOBODY)
    by_nobody = not asks and said.closed_at == said.at and not any(entry.action == "close" for entry in trail)
    closed = None if by_nobody else said.closed_at
    return Fact("answer", said.id, said.at, {"withdraw": said.withdrawn_at, "close": closed})


def _compared(fact: Fact, trail: Sequence[Entry]) -> Iterator[Told]:
    name = f"{fact.subject} {fact.id}"
    added = [entry.at for entry in trail if entry.action == _ADDED_BY.get(fact.subject, "add")]
    if not added:
        yield 10, f"{name} stands in its table, and the audit trail knows of nobody who entered it"
        return
    if fact.at not in added:
        yield 10, f"{name} was entered at another moment than the audit trail says"
    for action, at in fact.later.items():
        told = next((entry.at for entry in reversed(trail) if entry.action == action), None)
        if told == at:
            continue
        promise = 4 if (fact.subject, action, at is not None and told is None) in _LOOSENS else 10
        said = "at another moment" if told and at else "which its row does not say" if told else "as its row alone says"
        yield promise, f"{name}: {action}, {said} (the audit trail and the row differ)"


def _gone(told: Mapping[tuple[str, int], Sequence[Entry]], there: set[tuple[str, int]]) -> Iterator[Told]:
    for (subject, number), trail in told.items():
        entered = any(entry.action == _ADDED_BY.get(subject, "add") for entry in trail)
        if subject in _ENTERED and entered and (subject, number) not in there:
            problem = f"the audit trail tells of {subject} {number}, and the row is gone"
            yield 10 if subject == "treatment" else 4, problem


def _outcomes(known: Evidence, told: Mapping[tuple[str, int], Sequence[Entry]]) -> Iterator[Told]:
    for booking in known.bookings:
        changes = [e for e in told.get(("appointment", booking.id), ()) if e.action in ("outcome", "reopen")]
        said = changes[-1].told.get("outcome") if changes else None
        if said != booking.outcome:
            promise = 4 if booking.outcome is not None else 10
            yield promise, f"appointment {booking.id} has another outcome than the audit trail says"


def _opt_outs(known: Evidence) -> Iterator[Told]:
    told: dict[object, dt.datetime] = {}
    for entry in known.trail:
        scope = entry.told.get("scope")
        if entry.action == "opt out":
            told[scope] = entry.at
        elif entry.action == "opt in":
            told.pop(scope, None)
    stored: dict[object, dt.datetime] = {ban.scope: ban.at for ban in known.bans if ban.address_key is None}
    for scope in sorted(map(str, told.keys() - stored.keys())):
        yield 4, f"the patient opted out ({scope}), and the row is gone"
    for scope in sorted(map(str, stored.keys() - told.keys())):
        yield 10, f"an opt-out ({scope}) stands in its table, and the audit trail knows of nobody who entered it"
    for scope in sorted(map(str, stored.keys() & told.keys())):
        if stored[scope] != told[scope]:
            yield 4, f"the opt-out ({scope}) was entered at another moment than the audit trail says"


def _own_intervals(known: Evidence) -> Iterator[Told]:
    told: dict[str, str] = {}
    for entry in known.trail:
        if entry.action == "own interval":
            line, due = str(entry.told.get("line")), entry.told.get("due")
            told.pop(line, None)
            if due is not None:
                told[line] = str(due)
    for line in sorted(told.keys() | known.own_intervals.keys()):
        if told.get(line) != known.own_intervals.get(line):
            where = f"on the line {line}" if line else "on every line"
            yield 3, f"the patient's own interval {where} is not the one that the audit trail tells of"


def _of_the_person(known: Evidence) -> Iterator[Told]:
    person = known.person
    clinics = {entry.clinic_id for entry in known.trail if entry.clinic_id is not None}
    if clinics - {person.clinic_id}:
        yield 5, "the audit trail tells of this patient as another clinic's"
    named = {name for entry in known.trail if entry.subject == "patient" for name in _names(entry)}
    for name, value, usual in (("status", person.status, Status.ACTIVE), ("consent", person.consent, Consent.UNKNOWN)):
        if value != usual and name not in named:
            yield 4, f"the patient's {name} was set, and the audit trail knows of nobody who set it"


def _names(entry: Entry) -> list[str]:
    fields = entry.told.get("fields")
    return [str(name) for name in fields] if isinstance(fields, list) else []
