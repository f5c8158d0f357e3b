"""Works out each run of a patient's clock: which protocol rules it, its window, and what ended it.

Invariant: one line has at most one run that has not ended, and a touch-up or a review never starts or ends one. It
holds while no two episodes of a line stand on one day: where they meet, recording an entry makes them one.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reminders.domain.answers import Answer
from reminders.domain.facts import EVERY_LINE, Episode, Kind, PatientFacts, Rules, Treatment
from reminders.domain.interval import Interval
from reminders.domain.protocol import Protocol, TreatmentClass, group_of, line_of
from reminders.domain.window import Window, spaced, window_of


class Run(NamedTuple):
    """An episode seen through today's facts and rules.

    `day` is None once every entry was withdrawn; `protocol` and `window` are None when its protocol is gone or off;
    `elsewhere` says that what ended it was done at another clinic, as the patient told.
    """

    episode: Episode
    day: dt.date | None = None
    treatment: Treatment | None = None
    protocol: Protocol | None = None
    window: Window | None = None
    ended_on: dt.date | None = None
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class _Ledger:
    """One patient's entries by episode, each episode's day, and what followed a course, by treatment.

    `elsewhere` are the answers that tell of a treatment at another clinic, each with the day on which it counts; days
    are those of the zone.
    """

    facts: PatientFacts
    protocols: Mapping[str, Protocol]
    entries: Mapping[int, Sequence[Treatment]]
    days: Mapping[int, dt.date]
    follows: Mapping[int, Protocol]
    elsewhere: Sequence[tuple[Answer, dt.date]]
    zone: str


def runs(facts: PatientFacts, rules: Rules) -> tuple[Run, ...]:
    """Return every episode's run, by line and day."""
    entries = _entries(facts)
    days = {episode.id: _last_day(entries[episode.id]) for episode in facts.episodes if episode.id in entries}
    follows = _after_courses(facts, entries, days, rules.protocols)
    told = [(answer, answer.elsewhere_on(rules.calendar.zone)) for answer in facts.answers]
    elsewhere = [(answer, day) for answer, day in told if day is not None]
    ledger = _Ledger(facts, rules.protocols, entries, days, follows, elsewhere, rules.calendar.zone)
    found = [_run(episode, ledger) for episode in facts.episodes]
    return tuple(sorted(found, key=lambda run: (run.episode.line, run.day or run.episode.first_day, run.episode.id)))


def _last_day(treatments: Sequence[Treatment]) -> dt.date:
    return treatments[0].day if len(treatments) == 1 else max(treatment.day for treatment in treatments)


def _entries(facts: PatientFacts) -> dict[int, list[Treatment]]:
    """Group the treatments that started or confirmed an episode by the episode's id."""
    entries: dict[int, list[Treatment]] = {}
    for treatment in facts.treatments:
        if treatment.kind is Kind.TREATMENT and treatment.episode_id is not None:
            entries.setdefault(treatment.episode_id, []).append(treatment)
    return entries


def _run(episode: Episode, ledger: _Ledger) -> Run:
    day = ledger.days.get(episode.id)
    if day is None:
        return Run(episode)
    same_line = (ledger.days.get(other.id) for other in ledger.facts.episodes if other.line == episode.line)
    here = [later for later in same_line if later is not None and later > day]
    told = [answer.ends_on(day, ledger.zone) for answer, _ in ledger.elsewhere if answer.concerns(episode.line)]
    ended_on = min([*here, *(on for on in told if on is not None)], default=None)
    elsewhere = ended_on is not None and ended_on not in here
    ruling = _ruling(episode, day, ended_on, ledger)
    if ruling is None:
        return Run(episode, day, ledger.entries[episode.id][0], ended_on=ended_on, elsewhere=elsewhere)
    treatment, protocol, window = ruling
    return Run(episode, day, treatment, protocol, window, ended_on, elsewhere)


def _ruling(
    episode: Episode, day: dt.date, ended_on: dt.date | None, ledger: _Ledger
) -> tuple[Treatment, Protocol, Window] | None:
    """Choose among the entries of one day: the latest `opens`, then the later `due`, then the code."""
    choices = []
    for treatment in ledger.entries[episode.id]:
        protocol = ledger.follows.get(treatment.id) or ledger.protocols.get(treatment.protocol)
        if treatment.day != day or protocol is None or not protocol.active:
            continue
        window = window_of(protocol, day, own_interval(ledger.facts, episode.line))
        if protocol.class_name is TreatmentClass.COSMETIC:
            window = spaced(window, protocol, _spacing_days(episode, protocol, day, ended_on, ledger))
        choices.append((treatment, protocol, window))
    if len(choices) == 1:
        return choices[0]
    return max(choices, key=lambda c: (c[2].opens, c[2].due, c[1].code, c[0].id), default=None)


def own_interval(facts: PatientFacts, line: str) -> Interval | None:
    """Return the patient's own interval for `line`: the line's by its key or its name, else the one for every line."""
    if not facts.own_due:
        return None
    return facts.own_due.get(line) or facts.own_due.get(line_of(line)) or facts.own_due.get(EVERY_LINE)


def _spacing_days(
    episode: Episode, protocol: Protocol, day: dt.date, ended_on: dt.date | None, ledger: _Ledger
) -> list[dt.date]:
    """Return the days of later treatments of other lines of the group, here or elsewhere.

    Those after the run ended move nothing: its clock no longer runs, and every old run's rows would be written again
    with each treatment of another line. An answer about this line too says nothing of a run that it does not end.
    """
    if len(ledger.facts.episodes) == 1 and not ledger.elsewhere:
        return []
    lines = {other.id: other.line for other in ledger.facts.episodes}
    found = [
        on
        for answer, on in ledger.elsewhere
        if day < on and (ended_on is None or on < ended_on) and not answer.concerns(episode.line)
        if any(line != episode.line and group_of(line) == protocol.group for line in answer.lines or ())
    ]
    for episode_id, treatments in ledger.entries.items():
        if lines.get(episode_id, episode.line) == episode.line:
            continue
        for treatment in treatments:
            given = ledger.protocols.get(treatment.protocol)
            in_time = day < treatment.day and (ended_on is None or treatment.day < ended_on)
            if in_time and given is not None and given.group == protocol.group:
                found.append(treatment.day)
    return found


def _after_courses(
    facts: PatientFacts,
    entries: Mapping[int, Sequence[Treatment]],
    days: Mapping[int, dt.date],
    protocols: Mapping[str, Protocol],
) -> dict[int, Protocol]:
    """Return, by treatment, the protocol that follows a course whose stated number of sessions is reached.

    Sessions count while each came before the previous one's window closed; after a longer gap the course starts anew.
    """
    follows: dict[int, Protocol] = {}
    if all(t.protocol not in protocols or protocols[t.protocol].sessions is None for t in facts.treatments):
        return follows
    for line in {episode.line for episode in facts.episodes}:
        sessions, open_until = 0, dt.date.min
        for day, episode_id in sorted((days[e.id], e.id) for e in facts.episodes if e.line == line and e.id in days):
            given = [
                (t, protocols[t.protocol]) for t in entries[episode_id] if t.day == day and t.protocol in protocols
            ]
            courses = [(treatment, protocol) for treatment, protocol in given if protocol.sessions is not None]
            sessions = (sessions + 1 if day <= open_until else 1) if courses else 0
            closings = [window_of(protocol, day, own_interval(facts, line)).closes for _, protocol in courses]
            open_until = max(closings, default=dt.date.min)
            for treatment, protocol in courses:
                then = protocols.get(protocol.then or "")
                if then is not None and sessions >= (protocol.sessions or 0):
                    follows[treatment.id] = then
    return follows
