"""Works out each run of a patient's clock: which protocol rules it, its window, and what ended it.

Invariant: one line has at most one run that has not ended, and a touch-up or a review never starts or ends one.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reminders.domain.facts import EVERY_LINE, Episode, Kind, PatientFacts, Rules, Treatment
from reminders.domain.interval import Interval
from reminders.domain.protocol import Protocol, TreatmentClass
from reminders.domain.window import Window, spaced, window_of


@dataclass(frozen=True, slots=True)
class Run:
    """An episode seen through today's facts and rules.

    `day` is None once every entry was withdrawn; `protocol` and `window` are None when its protocol is gone or off.
    """

    episode: Episode
    day: dt.date | None = None
    treatment: Treatment | None = None
    protocol: Protocol | None = None
    window: Window | None = None
    ended_on: dt.date | None = None


def runs(facts: PatientFacts, rules: Rules) -> tuple[Run, ...]:
    """Return every episode's run, by line and day."""
    entries = _entries(facts)
    days = {episode.id: max(t.day for t in entries[episode.id]) for episode in facts.episodes if episode.id in entries}
    courses = _course_protocols(facts, entries, days, rules.protocols)
    found = [_run(episode, facts, rules, entries, days, courses) for episode in facts.episodes]
    return tuple(sorted(found, key=lambda run: (run.episode.line, run.day or run.episode.first_day, run.episode.id)))


def _entries(facts: PatientFacts) -> dict[int, list[Treatment]]:
    """Group the treatments that started or confirmed an episode by the episode's id."""
    entries: dict[int, list[Treatment]] = {}
    for treatment in facts.treatments:
        if treatment.kind is Kind.TREATMENT and treatment.episode_id is not None:
            entries.setdefault(treatment.episode_id, []).append(treatment)
    return entries


def _run(  # noqa: PLR0913 - the six things a run is read from, computed once for all of a patient's runs
    episode: Episode,
    facts: PatientFacts,
    rules: Rules,
    entries: Mapping[int, Sequence[Treatment]],
    days: Mapping[int, dt.date],
    courses: Mapping[int, Protocol],
) -> Run:
    if episode.id not in days:
        return Run(episode)
    day = days[episode.id]
    own_due = facts.own_due.get(episode.line) or facts.own_due.get(EVERY_LINE)
    later = [days[e.id] for e in facts.episodes if e.line == episode.line and e.id in days and days[e.id] > day]
    ruling = _ruling(entries[episode.id], day, own_due, rules.protocols, courses.get(episode.id))
    if ruling is None:
        return Run(episode, day, entries[episode.id][0], ended_on=min(later, default=None))
    treatment, protocol, window = ruling
    if protocol.class_name is TreatmentClass.COSMETIC:
        window = spaced(window, protocol, _spacing_days(episode, protocol, day, facts, rules.protocols))
    return Run(episode, day, treatment, protocol, window, ended_on=min(later, default=None))


def _ruling(
    entries: Sequence[Treatment],
    day: dt.date,
    own_due: Interval | None,
    protocols: Mapping[str, Protocol],
    course: Protocol | None,
) -> tuple[Treatment, Protocol, Window] | None:
    """Choose among the entries of one day: the latest `opens`, then the later `due`, then the code."""
    choices = []
    for treatment in entries:
        protocol = course or protocols.get(treatment.protocol)
        if treatment.day == day and protocol is not None and protocol.active:
            choices.append((treatment, protocol, window_of(protocol, day, own_due)))
    return max(choices, key=lambda c: (c[2].opens, c[2].due, c[1].code, c[0].id), default=None)


def _spacing_days(
    episode: Episode, protocol: Protocol, day: dt.date, facts: PatientFacts, protocols: Mapping[str, Protocol]
) -> list[dt.date]:
    """Return the days of later treatments of other lines of the group."""
    lines = {other.id: other.line for other in facts.episodes}
    found = []
    for treatment in facts.treatments:
        given = protocols.get(treatment.protocol)
        same_group = given is not None and given.group == protocol.group
        if treatment.kind is Kind.TREATMENT and treatment.day > day and same_group and treatment.episode_id is not None:
            if lines.get(treatment.episode_id) != episode.line:
                found.append(treatment.day)
    return found


def _course_protocols(
    facts: PatientFacts,
    entries: Mapping[int, Sequence[Treatment]],
    days: Mapping[int, dt.date],
    protocols: Mapping[str, Protocol],
) -> dict[int, Protocol]:
    """Return, by episode, the protocol that follows a course whose stated number of sessions is reached.

    Sessions count while each came before the previous one's window closed; after a longer gap the course starts anew.
    """
    follows: dict[int, Protocol] = {}
    for line in {episode.line for episode in facts.episodes}:
        sessions, previous = 0, None
        ordered = sorted((days[e.id], e.id) for e in facts.episodes if e.line == line and e.id in days)
        for day, episode_id in ordered:
            course = next((p for t in entries[episode_id] if (p := protocols.get(t.protocol)) and p.sessions), None)
            if course is None or course.sessions is None:
                sessions, previous = 0, None
                continue
            continues = previous is not None and day <= course.closes.after(previous)
            sessions, previous = (sessions + 1 if continues else 1), day
            then = protocols.get(course.then or "")
            if sessions >= course.sessions and then is not None:
                follows[episode_id] = then
    return follows
