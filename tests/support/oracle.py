"""The rules of the product once more, as slowly and plainly as can be: day by day and minute by minute.

Invariant: written from the contract and sharing nothing with the domain but its value classes, so that a mistake would
have to be made twice. Where the contract names several reasons without an order, all that hold are returned.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from reminders.domain.answers import Answer, AnswerKind
from reminders.domain.facts import Appointment, Consent, Episode, Kind, Outcome, PatientFacts, Rules, Status, Treatment
from reminders.domain.interval import Interval
from reminders.domain.lifecycle import Reason, State
from reminders.domain.protocol import Protocol, TreatmentClass
from reminders.domain.sending_hours import SendingCalendar

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)
START_OF_TIME = dt.date(1, 1, 1)
Days = tuple[dt.date, dt.date, dt.date, dt.date]


@dataclass(frozen=True)
class Expected:
    """What the contract says of one step; `reasons` are those one of which must be given."""

    state: State
    reasons: frozenset[Reason | None]
    protocol: str
    window: Days
    first: dt.date
    last: dt.date
    due_at: dt.datetime
    not_after: dt.datetime
    snoozed_until: dt.datetime | None = None


@lru_cache(maxsize=100_000)
def counted(interval: Interval, day: dt.date) -> dt.date:
    """Count an interval from a day: month by month, clamped to the month's end, then day by day."""
    forward = not interval.negative
    year, month = day.year, day.month
    for _ in range(interval.years * 12 + interval.months):
        month += 1 if forward else -1
        if month == 13:
            year, month = year + 1, 1
        if month == 0:
            year, month = year - 1, 12
    for number in range(day.day, 0, -1):
        try:
            found = dt.date(year, month, number)
            break
        except ValueError:
            continue
    for _ in range(interval.weeks * 7 + interval.days):
        found += DAY if forward else -DAY
    return found


@lru_cache(maxsize=100_000)
def first_reached(zone: str, day: dt.date, minute: int) -> dt.datetime:
    """Watch the clinic's wall clock minute by minute until it first shows `minute` of `day`, or jumps over it."""
    wall = dt.datetime.combine(day, dt.time()) + minute * MINUTE
    place = ZoneInfo(zone)
    instant = wall.replace(tzinfo=dt.UTC) - dt.timedelta(hours=14, minutes=1)  # no clock is further ahead
    while instant.astimezone(place).replace(tzinfo=None) < wall:
        instant += MINUTE
    return instant


def send_minute(calendar: SendingCalendar) -> int:
    """Say at which minute of a day a step goes out."""
    if calendar.send_at is not None:
        return calendar.send_at
    ten = 10 * 60
    return ten if calendar.opens_at <= ten < calendar.closes_at else calendar.opens_at


def sends(calendar: SendingCalendar, day: dt.date) -> bool:
    """Say whether the clinic sends on a day."""
    return day.weekday() in calendar.weekdays and day not in calendar.closed


def first_sending_day(calendar: SendingCalendar, first: dt.date, last: dt.date) -> dt.date | None:
    """Walk from `first` to `last` until a sending day."""
    while first <= last:
        if sends(calendar, first):
            return first
        first += DAY
    return None


def clocks(facts: PatientFacts) -> dict[int, list[Treatment]]:
    """Return the entries of every episode that has any; nothing but treatments starts a clock."""
    found: dict[int, list[Treatment]] = {}
    for episode in facts.episodes:
        own = [t for t in facts.treatments if t.kind is Kind.TREATMENT and t.episode_id == episode.id]
        if own:
            found[episode.id] = own
    return found


def expected(facts: PatientFacts, rules: Rules, now: dt.datetime) -> dict[tuple[int, str], Expected]:
    """Return what the contract says of every step of every episode, by episode and step."""
    found: dict[tuple[int, str], Expected] = {}
    for episode in facts.episodes:
        ruling = _ruling(episode, facts, rules.protocols, rules.calendar.zone)
        if ruling is None:
            continue
        protocol, window = ruling
        firsts = [counted(s.offset, window[list(type(s.anchor)).index(s.anchor)]) for s in protocol.steps]
        for place, step in enumerate(protocol.steps):
            last = firsts[place + 1] - DAY if place + 1 < len(firsts) else window[3]
            if step.name not in episode.counts_as_sent:
                found[episode.id, step.name] = _step(
                    episode, protocol, window, (firsts[place], min(last, window[3])), facts, rules, now
                )
    return found


def _step(
    episode: Episode,
    protocol: Protocol,
    window: Days,
    days: tuple[dt.date, dt.date],
    facts: PatientFacts,
    rules: Rules,
    now: dt.datetime,
) -> Expected:
    calendar = rules.calendar
    first, last = days
    goes = first_sending_day(calendar, first, last)
    due_at = first_reached(calendar.zone, goes or first, send_minute(calendar))
    not_after = first_reached(calendar.zone, max(last + DAY, first), 0)

    def outcome(state: State, *reasons: Reason | None, snoozed_until: dt.datetime | None = None) -> Expected:
        return Expected(state, frozenset(reasons), protocol.code, window, first, last, due_at, not_after, snoozed_until)

    day, ended_on = _span(episode, facts, calendar.zone)
    if ended_on is not None:
        if last < ended_on:
            return outcome(State.EXPIRED, Reason.TOO_LATE)
        return outcome(State.CANCELLED, Reason.TREATED_AGAIN)
    if now >= not_after:
        return outcome(State.EXPIRED, Reason.TOO_LATE)
    today = now.astimezone(ZoneInfo(calendar.zone)).date()
    against = restrictions(episode.line, protocol.class_name, day, facts, rules, today)
    if against:
        return outcome(State.CANCELLED, *against)
    if goes is None:
        return outcome(State.EXPIRED, Reason.TOO_LATE)
    missed = [
        max(booking.day, booking.noted_on) if booking.noted_on else booking.day
        for booking in _bookings(episode.line, day, facts)
        if booking.outcome is Outcome.MISSED
    ]
    if len(missed) > 1:
        return outcome(State.HELD, Reason.HELD_FOR_REVIEW)
    asked = _asked(episode.line, facts)
    quiet = [at + 7 * DAY for at in missed] + ([asked] if asked else [])
    if quiet:
        resumes = first_sending_day(calendar, max([first, *quiet]), last)
        until = not_after if resumes is None else first_reached(calendar.zone, resumes, send_minute(calendar))
        if until > due_at:
            return outcome(State.PLANNED, Reason.SNOOZED, snoozed_until=until)
    return outcome(State.PLANNED, None)


def _said(line: str, facts: PatientFacts) -> list[Answer]:
    return [answer for answer in facts.answers if answer.lines is None or line in answer.lines]


def _asked(line: str, facts: PatientFacts) -> dt.date | None:
    """Return the day to be reminded on that was named last for a line."""
    named = [answer for answer in _said(line, facts) if answer.kind is AnswerKind.REMIND_LATER]
    named.sort(key=lambda answer: (answer.at, answer.day))
    return named[-1].day if named else None


def _elsewhere(answer: Answer, zone: str) -> dt.date:
    """Walk from the first of the month to its end, or to the day on which it was said."""
    day = answer.day or START_OF_TIME
    while (day + DAY).day != 1 and day < answer.at.astimezone(ZoneInfo(zone)).date():
        day += DAY
    return min(day, answer.at.astimezone(ZoneInfo(zone)).date())


def _span(episode: Episode, facts: PatientFacts, zone: str) -> tuple[dt.date, dt.date | None]:
    """Return an episode's day and the day of the next treatment of its line, at this clinic or another."""
    entries = clocks(facts)
    day = entries[episode.id][0].day
    same_line = {e.id for e in facts.episodes if e.line == episode.line}
    later = [t.day for i, treatments in entries.items() for t in treatments if i in same_line and t.day > day]
    told = [a for a in _said(episode.line, facts) if a.kind is AnswerKind.TREATED_ELSEWHERE]
    told = [a for a in told if a.asked_at is None or a.asked_at.astimezone(ZoneInfo(zone)).date() > day]
    later += [_elsewhere(answer, zone) for answer in told if _elsewhere(answer, zone) > day]
    return day, min(later) if later else None


def _ruling(
    episode: Episode, facts: PatientFacts, protocols: Mapping[str, Protocol], zone: str
) -> tuple[Protocol, Days] | None:
    """Return the protocol whose window opens last, then is due last, then has the last code."""
    found: list[tuple[Protocol, Days]] = []
    for treatment in clocks(facts).get(episode.id, []):
        protocol = protocols.get(treatment.protocol)
        if protocol is not None and _course_is_over(episode, protocol, facts, protocols):
            protocol = protocols.get(protocol.then or "") or protocol
        if protocol is not None and protocol.active:
            found.append((protocol, _window(episode, protocol, facts, protocols, zone)))
    found.sort(key=lambda one: (one[1][0], one[1][1], one[0].code))
    return found[-1] if found else None


def _window(
    episode: Episode, protocol: Protocol, facts: PatientFacts, protocols: Mapping[str, Protocol], zone: str
) -> Days:
    day, ended_on = _span(episode, facts, zone)
    opens, due, overdue, closes = plain_window(protocol, day, _own(episode.line, facts))
    if protocol.class_name is TreatmentClass.COSMETIC:
        lines = {e.id: e.line for e in facts.episodes}
        pushes = [opens]
        for treatments in clocks(facts).values():
            for other in treatments:
                kind = protocols.get(other.protocol)
                if kind is None or kind.group != protocol.group or lines[other.episode_id or 0] == episode.line:
                    continue
                if other.day > day and (ended_on is None or other.day < ended_on):
                    pushes.append(max(counted(protocol.opens, other.day), other.day + protocol.min_days * DAY))
        for answer in facts.answers:
            if answer.kind is not AnswerKind.TREATED_ELSEWHERE or episode.line in (answer.lines or {episode.line}):
                continue  # what is about this line ends a run, or says nothing of it
            on = _elsewhere(answer, zone)
            others = {line for line in answer.lines or () if line.split("/")[0] == protocol.group} - {episode.line}
            if others and on > day and (ended_on is None or on < ended_on):
                pushes.append(max(counted(protocol.opens, on), on + protocol.min_days * DAY))
        while opens < max(pushes):
            opens, due, overdue, closes = opens + DAY, due + DAY, overdue + DAY, closes + DAY
    return opens, due, overdue, closes


def plain_window(protocol: Protocol, day: dt.date, own: Interval | None) -> Days:
    """Return the window before other lines of the group are looked at."""
    opens = counted(protocol.opens, day)
    while (opens - day).days < protocol.min_days:
        opens += DAY
    due, overdue, closes = (
        max(counted(interval, day), opens) for interval in (protocol.due, protocol.overdue, protocol.closes)
    )
    if own is not None:
        wish = max(counted(own, day), opens)
        while due < wish:
            due, overdue, closes = due + DAY, overdue + DAY, closes + DAY
        due = wish
    return opens, due, overdue, closes


def _own(line: str, facts: PatientFacts) -> Interval | None:
    for name in (line, line.rsplit("/", maxsplit=1)[-1], ""):
        if name in facts.own_due:
            return facts.own_due[name]
    return None


def _means(named: str | None, line: str) -> bool:
    """Say whether a person who names a line, with its group or without, or none at all, means this one."""
    return named is None or named in (line, line.rsplit("/", maxsplit=1)[-1])


def _course_is_over(
    episode: Episode, protocol: Protocol, facts: PatientFacts, protocols: Mapping[str, Protocol]
) -> bool:
    """Go back from a session over those before it, each of which came while the one before was open."""
    if protocol.sessions is None:
        return False
    entries = clocks(facts)
    line = {entries[e.id][0].day: e for e in facts.episodes if e.line == episode.line and e.id in entries}
    sessions, day = 1, entries[episode.id][0].day
    while earlier := [other for other in line if other < day]:
        before = max(earlier)
        given = [protocols[t.protocol] for t in entries[line[before].id] if t.protocol in protocols]
        closings = [plain_window(p, before, _own(episode.line, facts))[3] for p in given if p.sessions]
        if not closings or max(closings) < day:
            break
        sessions, day = sessions + 1, before
    return sessions >= protocol.sessions


def _bookings(line: str, day: dt.date, facts: PatientFacts) -> list[Appointment]:
    return [a for a in facts.appointments if a.day > day and _means(a.line, line)]


def restrictions(
    line: str, kind: TreatmentClass, day: dt.date, facts: PatientFacts, rules: Rules, today: dt.date
) -> set[Reason | None]:
    """Return everything that keeps a message of this class and line from this person today."""
    found = _person(kind, facts, rules, today) | _answered(line, day, facts, rules, today)
    for hold in facts.holds:
        if _means(hold.line, line) and (hold.until is None or hold.until > today):
            found.add(Reason.ON_HOLD)
    for booking in _bookings(line, day, facts):
        if booking.outcome in (None, Outcome.KEPT) and (today - booking.day).days < 7:
            found.add(Reason.BOOKED)
    return found


def _answered(line: str, day: dt.date, facts: PatientFacts, rules: Rules, today: dt.date) -> set[Reason | None]:
    found: set[Reason | None] = set()
    for answer in _said(line, facts):
        if answer.kind in (AnswerKind.CONSULTATION_REQUESTED, AnswerKind.PHONE_ME):
            found.add(Reason.CONSULTATION_REQUESTED)
        if answer.kind is AnswerKind.REPLIED:
            found.add(Reason.REPLIED)
        if answer.kind is AnswerKind.BOOKED and answer.day is None:
            said = answer.at.astimezone(ZoneInfo(rules.calendar.zone)).date()
            found |= {Reason.BOOKED} if said > day else set()
        if answer.kind is AnswerKind.BOOKED and answer.day is not None and answer.day > day:
            found |= {Reason.BOOKED} if (today - answer.day).days < 7 else set()
    return found


def _person(kind: TreatmentClass, facts: PatientFacts, rules: Rules, today: dt.date) -> set[Reason | None]:
    found: set[Reason | None] = set()
    found |= {Reason.PATIENT_ERASED} if facts.erased else set()
    found |= {Reason.DECEASED} if facts.status is Status.DECEASED else set()
    found |= {Reason.INACTIVE} if facts.status is Status.INACTIVE else set()
    found |= {Reason.OPTED_OUT} if "all" in facts.opt_outs or kind.value in facts.opt_outs else set()
    found |= {reason for scope, reason in facts.blocked if scope in ("all", kind.value)}
    if not facts.has_email and not facts.has_representative:
        found.add(Reason.NO_EMAIL)
    enough = {Consent.GRANTED, Consent.EXISTING_CUSTOMER}
    if kind is TreatmentClass.MEDICAL or rules.unknown_is_customer:
        enough.add(Consent.UNKNOWN)
    if facts.consent not in enough:
        found.add(Reason.NO_CONSENT)
    if facts.birth_date is not None and _years(facts.birth_date, today) < 18:
        if kind is TreatmentClass.COSMETIC:
            found.add(Reason.UNDER_AGE)
        elif not facts.has_representative:
            found.add(Reason.NO_REPRESENTATIVE)
    return found


def _years(born: dt.date, today: dt.date) -> int:
    """Count the birthdays up to `today`; one of 29 February is on 1 March of a common year."""
    birthdays = 0
    passed = born
    while passed < today:
        passed += DAY
        if (passed.month, passed.day) == (born.month, born.day):
            birthdays += 1
        elif (born.month, born.day) == (2, 29) and (passed.month, passed.day) == (3, 1):
            birthdays += (passed - DAY).day != 29
    return birthdays


def keeps_distance(kind: TreatmentClass, day: dt.date, messages: Iterable[tuple[TreatmentClass, dt.date]]) -> bool:
    """Look at each of the days before (and of) `day` for a message that is too near."""
    sent = set(messages)
    if kind is TreatmentClass.MEDICAL:
        return not any((TreatmentClass.MEDICAL, day - back * DAY) in sent for back in range(7))
    return not any((other, day - back * DAY) in sent for back in range(14) for other in TreatmentClass)
