"""Builds patients, catalogues and calendars for tests of the rules: short to write, recorded as the product records.

Invariant: `patient` makes episodes as an entry does, one for each line and day, and only for the kind `treatment`.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from reminders.domain.facts import Episode, Kind, PatientFacts, Reminder, Rules, Treatment
from reminders.domain.interval import Interval
from reminders.domain.lifecycle import Reason, State, check_move
from reminders.domain.planner import Action, Change, Plan, Wanted
from reminders.domain.protocol import STEP_NAMES, Anchor, Protocol, Step, TreatmentClass
from reminders.domain.sending_hours import SendingCalendar
from reminders.domain.window import Window

Entry = tuple[str, str] | tuple[str, str, Kind]
COSMETIC, MEDICAL = TreatmentClass.COSMETIC, TreatmentClass.MEDICAL
WEEKDAYS = frozenset(range(5))
EVERY_DAY = frozenset(range(7))


def day(text: str) -> dt.date:
    """Read "2026-01-05"."""
    return dt.date.fromisoformat(text)


def utc(text: str) -> dt.datetime:
    """Read "2026-01-05 10:00" as a moment in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def protocol(
    code: str, window: str = "3m 4m 5m 6m", steps: str = "opens -2w, due 0d, closes -3w", **more: object
) -> Protocol:
    """Return a protocol, cosmetic on the line `code` unless said otherwise."""
    opens, due, overdue, closes = (Interval.parse(text) for text in window.split())
    parsed = (text.split() for text in steps.split(","))
    named = zip(STEP_NAMES, parsed, strict=False)
    made = tuple(Step(name, Anchor(anchor), Interval.parse(offset)) for name, (anchor, offset) in named)
    fields: dict[str, Any] = {
        "name": code,
        "label": {"en": "a follow-up"},
        "class_name": COSMETIC,
        "group": "toxin",
        "line": code,
    }
    fields |= more
    return Protocol(code=code, opens=opens, due=due, overdue=overdue, closes=closes, steps=made, **fields)


def catalogue(*protocols: Protocol) -> dict[str, Protocol]:
    """Return the protocols by code."""
    return {one.code: one for one in protocols}


FACE = protocol("botulinum-cosmetic", line="face", min_days=90)
LONG = protocol("botulinum-cosmetic-long", "3m 6m 7m 9m", "due -3w, due 3w", line="face", min_days=90)
MIGRAINE = protocol("botulinum-migraine", "12w 12w 14w 20w", "opens -4w, due 1w", class_name=MEDICAL, line="migraine")
OAB = protocol("botulinum-oab", "12w 24w 30w 52w", "due -4w, due 4w", class_name=MEDICAL, line="bladder")
NDO = protocol("botulinum-ndo", "12w 42w 48w 60w", "due -6w, due 2w", class_name=MEDICAL, line="bladder")
LIPS = protocol("filler-lips", "6m 8m 10m 12m", "due -2w, due 4w", group="filler", line="lips")
NEEDLING = protocol("microneedling", "4m 5m 6m 8m", "due -2w, due 2w", group="skin", line="needling")
COURSE = protocol(
    "needling-course", "4w 6w 8w 12w", "due -1w", group="skin", line="needling", sessions=3, then="microneedling"
)
OFF = protocol("peel-light", "2m 3m 4m 5m", "due -2w", group="skin", line="peel", active=False)
CATALOGUE = catalogue(FACE, LONG, MIGRAINE, OAB, NDO, LIPS, NEEDLING, COURSE, OFF)


def calendar(
    zone: str = "Europe/London",
    weekdays: Iterable[int] = WEEKDAYS,
    hours: tuple[int, int] = (9, 17),
    send_at: int | None = None,
    closed: Iterable[str] = (),
) -> SendingCalendar:
    """Return a calendar; `hours` are whole hours, `send_at` a minute of the day."""
    opens_at, closes_at = (hour * 60 for hour in hours)
    return SendingCalendar(zone, frozenset(weekdays), opens_at, closes_at, send_at, frozenset(map(day, closed)))


def rules(protocols: Mapping[str, Protocol] = CATALOGUE, sends: SendingCalendar | None = None, **more: object) -> Rules:
    """Return what a clinic in London goes by, on weekdays from nine to five."""
    fields: dict[str, Any] = dict(more)
    return Rules(protocols, sends or calendar(), **fields)


def patient(*entries: Entry, protocols: Mapping[str, Protocol] = CATALOGUE, **more: object) -> PatientFacts:
    """Return a patient with these (protocol, day[, kind]) entries, numbered from 1 as are their episodes."""
    episodes: dict[tuple[str, dt.date], Episode] = {}
    treatments = []
    for number, (code, on, *kind) in enumerate(entries, start=1):
        made = Treatment(number, code, day(on), kind[0] if kind else Kind.TREATMENT)
        if made.kind is Kind.TREATMENT:
            line = protocols[code].clock if code in protocols else code
            episode = episodes.setdefault((line, made.day), Episode(len(episodes) + 1, line, made.day))
            made = made._replace(episode_id=episode.id)
        treatments.append(made)
    fields: dict[str, Any] = {
        "id": 1,
        "clinic_id": 1,
        "treatments": tuple(treatments),
        "episodes": tuple(episodes.values()),
    }
    return PatientFacts(**(fields | more))


def step_of(plan: Plan, name: str = "invitation", episode: int = 1) -> Wanted:
    """Return the one step of that name."""
    [found] = [want for want in plan.steps if (want.step, want.episode_id) == (name, episode)]
    return found


def standings(plan: Plan, episode: int = 1) -> list[tuple[str, Reason | None]]:
    """Return the state and reason of each step of an episode, in order."""
    return [(want.state.value, want.reason) for want in plan.steps if want.episode_id == episode]


def reminder(
    number: int = 1, due_at: str = "2026-01-05 10:00", not_after: str = "2026-02-05 00:00", **more: object
) -> Reminder:
    """Return a planned cosmetic invitation of the episode `number`."""
    window = Window(day("2026-01-10"), day("2026-01-20"), day("2026-01-30"), day("2026-02-10"))
    fields: dict[str, Any] = {
        "id": number,
        "episode_id": number,
        "step": "invitation",
        "state": State.PLANNED,
        "reason": None,
        "protocol": "botulinum-cosmetic",
        "class_name": COSMETIC,
        "treatment_id": number,
        "window": window,
    }
    return Reminder(due_at=utc(due_at), not_after=utc(not_after), **(fields | more))


def apply(stored: Iterable[Reminder], changes: Iterable[Change]) -> tuple[Reminder, ...]:
    """Return the stored reminders after `changes`, as the store makes them; an illegal move is an error."""
    rows = {one.id: one for one in stored}
    for change in changes:
        if change.reminder is None:
            made = _inserted(change, max(rows, default=0) + 1)
            rows[made.id] = made
            continue
        before = rows[change.reminder.id]
        assert before == change.reminder
        check_move(before.state, change.state, change.reason)
        after = replace(before, state=change.state, reason=change.reason)
        if change.wanted is not None:
            after = replace(after, **_brought(change.wanted))
        if change.action is Action.RESTORE:
            after = replace(after, next_attempt_at=None)
        rows[before.id] = after
    return tuple(rows.values())


def _inserted(change: Change, number: int) -> Reminder:
    want = change.wanted
    assert want is not None
    return Reminder(
        id=number,
        episode_id=want.episode_id,
        step=want.step,
        state=change.state,
        reason=change.reason,
        **_brought(want),
    )


def _brought(want: Wanted) -> dict[str, Any]:
    names = ("protocol", "class_name", "treatment_id", "window", "due_at", "not_after", "snoozed_until")
    return {name: getattr(want, name) for name in names}
