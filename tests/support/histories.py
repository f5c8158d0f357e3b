"""Strategies for what may be known of a patient and of a clinic: every rule has a chance to bite, few bite at once.

Invariant: entries are recorded as the product records them, on or before the clinic's today.
"""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from reminders.domain.answers import Answer, AnswerKind
from reminders.domain.facts import Appointment, Consent, Hold, Kind, Outcome, PatientFacts, Rules, Status
from reminders.domain.interval import Interval
from reminders.domain.lifecycle import Reason
from reminders.domain.protocol import STEP_NAMES
from reminders.domain.sending_hours import SendingCalendar
from tests.support.facts import CATALOGUE, patient

ZONES = ("Europe/London", "America/New_York", "Africa/Cairo", "America/Nuuk", "Australia/Lord_Howe", "UTC")
LINES = ("face", "toxin/face", "migraine", "toxin/bladder", "lips", "skin/needling", None)
START = dt.date(2024, 1, 1)


@dataclass(frozen=True)
class Known:
    """One patient of one clinic at one moment."""

    facts: PatientFacts
    rules: Rules
    now: dt.datetime


def days(first: int, last: int) -> st.SearchStrategy[dt.date]:
    """Return days from `first` to `last` days after the start."""
    return st.integers(first, last).map(lambda n: START + dt.timedelta(days=n))


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - any value
    """Return the usual value in most examples."""
    return st.sampled_from([usual] * (4 * len(others)) + list(others))


CALENDARS = st.builds(
    SendingCalendar,
    zone=st.sampled_from(ZONES),
    weekdays=st.sampled_from([frozenset(range(5)), frozenset(range(7)), frozenset({2}), frozenset({5, 6})]),
    opens_at=st.sampled_from([0, 150, 540, 660]),
    closes_at=st.sampled_from([720, 1020, 1440]),
    send_at=st.sampled_from([None, 690, 700]),
    closed=st.lists(st.tuples(days(0, 1200), st.integers(1, 60)), max_size=3).map(
        lambda spans: frozenset(first + dt.timedelta(days=n) for first, length in spans for n in range(length))
    ),
)

ENTRIES = st.lists(
    st.tuples(
        st.sampled_from([*CATALOGUE, "botulinum-cosmetic", "botulinum-cosmetic", "gone"]),
        days(0, 500).map(str),
        mostly(Kind.TREATMENT, Kind.TOUCH_UP, Kind.REVIEW),
    ),
    min_size=1,
    max_size=7,
)

INTERVALS = st.sampled_from(["6w", "14w", "3m", "4m2w", "7m", "1y"]).map(Interval.parse)
AGAINST: list[dict[str, Any]] = [
    {"status": Status.INACTIVE},
    {"status": Status.DECEASED},
    *({"consent": consent} for consent in Consent),
    {"birth_date": dt.date(2007, 2, 28)},
    {"birth_date": dt.date(2006, 9, 9), "has_representative": True},
    {"has_email": False},
    {"has_email": False, "has_representative": True},
    {"erased": True},
    *({"opt_outs": frozenset({scope})} for scope in ("all", "cosmetic", "medical")),
    {"blocked": frozenset({("all", Reason.BOUNCED_ADDRESS)})},
    {"blocked": frozenset({("cosmetic", Reason.COMPLAINED), ("medical", Reason.OPTED_OUT)})},
]
ANSWERED = ("toxin/face", "toxin/migraine", "toxin/bladder", "filler/lips", "skin/needling")


def appointments(last: dt.date) -> st.SearchStrategy[tuple[Appointment, ...]]:
    """Return what may have been booked around and after the last visit."""
    on = st.integers(-30, 300).map(lambda n: last + dt.timedelta(days=n))
    one = st.builds(
        Appointment,
        id=st.just(1),
        day=on,
        line=st.sampled_from(LINES),
        outcome=st.sampled_from([None, *Outcome, Outcome.MISSED, Outcome.MISSED]),
        noted_on=st.one_of(st.none(), on),
    )
    return st.one_of(st.just(()), st.lists(one, min_size=1, max_size=4).map(tuple))


def holds(last: dt.date) -> st.SearchStrategy[tuple[Hold, ...]]:
    """Return what may have been put off."""
    until = st.one_of(st.none(), st.integers(0, 300).map(lambda n: last + dt.timedelta(days=n)))
    one = st.builds(Hold, id=st.just(1), line=st.sampled_from(LINES), until=until)
    return mostly((), "some").flatmap(lambda some: st.lists(one, max_size=2).map(tuple) if some else st.just(()))


KINDS = (*AnswerKind, AnswerKind.BOOKED, AnswerKind.TREATED_ELSEWHERE, AnswerKind.REMIND_LATER)


@st.composite
def answers(draw: st.DrawFn, now: dt.datetime) -> tuple[Answer, ...]:
    """Draw what may have been answered by then, through a message about some lines or to staff."""
    found = []
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2, 3]))):
        kind = draw(st.sampled_from(KINDS))
        said = now - dt.timedelta(minutes=draw(st.integers(0, 120 * 24 * 60)))
        lines = draw(st.one_of(st.none(), st.frozensets(st.sampled_from(ANSWERED), min_size=1, max_size=2)))
        on = said.date() + dt.timedelta(days=draw(st.integers(-20, 120)))
        if kind is AnswerKind.TREATED_ELSEWHERE:
            on = (said.date() - dt.timedelta(days=draw(st.integers(0, 90)))).replace(day=1)
        named = kind in (AnswerKind.TREATED_ELSEWHERE, AnswerKind.REMIND_LATER) or draw(st.booleans())
        before = draw(st.one_of(st.none(), st.integers(0, 200)))
        asked = said - dt.timedelta(days=before) if before is not None else None
        found.append(Answer(kind, said, lines, on if named else None, asked))
    return tuple(found)


@st.composite
def patients(draw: st.DrawFn) -> PatientFacts:
    """Draw a patient: some visits, and now and then something that speaks against writing."""
    entries: list[Any] = draw(ENTRIES)
    last = max(dt.date.fromisoformat(on) for _, on, _ in entries)
    more: dict[str, Any] = {
        "own_due": draw(
            st.dictionaries(
                st.sampled_from(["", "face", "toxin/face", "migraine", "skin/needling"]), INTERVALS, max_size=2
            )
        ),
        "appointments": draw(appointments(last)),
        "holds": draw(holds(last)),
    }
    for against in draw(
        st.sampled_from([0, 0, 0, 0, 1, 1, 2]).flatmap(lambda n: st.tuples(*[st.sampled_from(AGAINST)] * n))
    ):
        more |= against
    return _voided_and_sent(draw, patient(*entries, **more))


def _voided_and_sent(draw: st.DrawFn, facts: PatientFacts) -> PatientFacts:
    """Withdraw an entry now and then, and let a step count as sent."""
    kept = facts.treatments[draw(mostly(0, 1)) :]
    counts = draw(mostly(frozenset(), frozenset(STEP_NAMES[:1]), frozenset(STEP_NAMES[1:])))
    episodes = tuple(e._replace(counts_as_sent=counts if e.id == 1 else e.counts_as_sent) for e in facts.episodes)
    return replace(facts, treatments=kept, episodes=episodes)


@st.composite
def known(draw: st.DrawFn) -> Known:
    """Draw a patient, a clinic and a moment on or after the last visit."""
    facts = draw(patients())
    rules = Rules(CATALOGUE, draw(CALENDARS), draw(st.booleans()))
    last = max(t.day for t in facts.treatments) if facts.treatments else START
    minutes = draw(st.one_of(st.integers(24 * 60, 200 * 24 * 60), st.integers(24 * 60, 500 * 24 * 60)))
    now = dt.datetime.combine(last, dt.time(), dt.UTC) + dt.timedelta(minutes=minutes)
    return Known(replace(facts, answers=draw(answers(now))), rules, now)


@st.composite
def before_and_after(draw: st.DrawFn) -> tuple[Known, Known]:
    """Draw what was known, and what is known some time later: another booking, entry or rule, or another story."""
    before = draw(known())
    if draw(st.booleans()):
        after = draw(known())
        return before, replace(after, now=max(before.now, after.now))
    last = max((t.day for t in before.facts.treatments), default=START)
    changed: dict[str, Any] = draw(
        st.one_of(
            st.builds(dict, appointments=appointments(last)),
            st.builds(dict, holds=holds(last)),
            st.builds(dict, answers=answers(before.now)),
            st.builds(dict, treatments=st.just(before.facts.treatments[:-1])),
            st.sampled_from(AGAINST),
        )
    )
    now = before.now + dt.timedelta(days=draw(st.sampled_from([0, 0, 1, 8, 40])))
    return before, Known(replace(before.facts, **changed), before.rules, now)
