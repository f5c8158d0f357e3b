"""What a catalogue of protocols must satisfy before it may rule anybody's window, and every complaint about one.

Invariant: for a catalogue without complaints, and for every day of treatment, the window's four days ascend, and the
steps' days ascend strictly from after the treatment to `closes` at the latest.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from reminders.domain.interval import BadInterval, Interval
from reminders.domain.protocol import STEP_NAMES, Anchor, Protocol, TreatmentClass
from reminders.domain.window import window_of

LONGEST_CODE = 63
FEWEST_SESSIONS = 2
SHORTEST_MONTH = 28
STEPS_OF_A_CLASS = {TreatmentClass.COSMETIC: STEP_NAMES, TreatmentClass.MEDICAL: STEP_NAMES[:2]}
"""The names a class has (starter catalogue): a medical line ends with the practitioner, never with a last call."""

_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(?:-[a-zA-Z0-9]{1,8})*")
_FIRST_DAY = dt.date(2024, 1, 1)
_EVERY_DAY = tuple(_FIRST_DAY + dt.timedelta(days=n) for n in range(1461))  # one whole cycle of leap years
_TELLING_DAYS = tuple(day for day in _EVERY_DAY if day.day == 1 or day.day > SHORTEST_MONTH)


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong with the protocol `code`: the JSON key (`window.due`, `steps`) and what to mend there."""

    code: str
    field: str
    problem: str


def complaints(protocols: Mapping[str, Protocol]) -> tuple[Complaint, ...]:
    """Return everything wrong with the catalogue `protocols` (by code); none means it may be used."""
    return tuple(
        Complaint(protocol.code, field, problem)
        for protocol in protocols.values()
        for field, problem in (*_names(protocol), *_days(protocol), *_course(protocol, protocols))
    )


def _names(protocol: Protocol) -> Iterator[tuple[str, str]]:
    for field, value in (("code", protocol.code), ("group", protocol.group), ("line", protocol.line)):
        if len(value) > LONGEST_CODE or not _SLUG.fullmatch(value):
            yield field, f"must be 1 to {LONGEST_CODE} small letters, digits and single hyphens, such as filler-lips"
    if not _is_line(protocol.name):
        yield "name", "must be one line of printable text"
    if "en" not in protocol.label:
        yield "label", "needs the English words (en), which are used where a language has none"
    for language, label in protocol.label.items():
        if not _LANGUAGE.fullmatch(language):
            yield "label", f"has {language[:20]!r} where a language such as en or de-AT is meant"
        if not label.strip() or not _is_line(label):
            yield "label", f"must be one line of printable text in {language[:20]!r}, and not empty"
    names = tuple(step.name for step in protocol.steps)
    allowed = STEPS_OF_A_CLASS[protocol.class_name]
    if not names or names != allowed[: len(names)]:
        yield "steps", f"must be the first of these, in this order, at least one: {', '.join(allowed)}"


def _is_line(text: str) -> bool:
    return text.isprintable()


def _days(protocol: Protocol) -> Iterator[tuple[str, str]]:
    if protocol.min_days < 0:
        yield "min_days", "must not be negative; 0 means none"
    negative = [anchor for anchor, interval in zip(Anchor, _intervals(protocol), strict=True) if interval.negative]
    for anchor in negative:
        yield f"window.{anchor}", "must not be negative: the window is counted from the treatment onwards"
    if negative or protocol.min_days < 0:
        return
    try:
        yield from _order(protocol)
    except (BadInterval, OverflowError):
        yield "window", "reaches further than the calendar does"


def _order(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Yield where days do not ascend, each with the first treatment day of a leap cycle on which they do not.

    Up to the 28th no month clamps, so days of one month are alike; offsets in months are counted from anywhere, though.
    """
    told: set[str] = set()
    anywhere = any(step.offset.months or step.offset.years for step in protocol.steps)
    for day in _EVERY_DAY if anywhere else _TELLING_DAYS:
        for field, problem in (*_window_order(protocol, day), *_step_order(protocol, day)):
            if problem not in told:
                told.add(problem)
                yield field, f"{problem}, for a treatment on {day}"


def _window_order(protocol: Protocol, day: dt.date) -> Iterator[tuple[str, str]]:
    ends = [interval.after(day) for interval in _intervals(protocol)]
    for (earlier, before), (later, after) in pairwise(zip(Anchor, ends, strict=True)):
        if after < before:
            yield f"window.{later}", f"is before {earlier}"


def _step_order(protocol: Protocol, day: dt.date) -> Iterator[tuple[str, str]]:
    window = window_of(protocol, day)
    days = [step.offset.after(window.day(step.anchor)) for step in protocol.steps]
    if any(later <= earlier for earlier, later in pairwise(days)):
        yield "steps", "each must come on a later day than the one before it"
    if any(step_day <= day for step_day in days):
        yield "steps", "each must come after the treatment itself"
    if any(step_day > window.closes for step_day in days):
        yield "steps", "none may come after the window closes"


def _intervals(protocol: Protocol) -> tuple[Interval, ...]:
    return protocol.opens, protocol.due, protocol.overdue, protocol.closes


def _course(protocol: Protocol, protocols: Mapping[str, Protocol]) -> Iterator[tuple[str, str]]:
    if protocol.sessions is None and protocol.then is None:
        return
    if protocol.sessions is None or protocol.sessions < FEWEST_SESSIONS:  # one session would be no course
        yield "sessions", f"must be {FEWEST_SESSIONS} or more for a course"
    following = protocols.get(protocol.then or "")
    if following is None:
        yield "then", "must name the protocol that follows the course"
    elif following.code == protocol.code or following.sessions is not None:
        yield "then", "must name a protocol that is no course itself"
    elif (following.clock, following.class_name) != (protocol.clock, protocol.class_name):
        yield "then", "must name a protocol of the same line and class"
