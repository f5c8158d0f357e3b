"""The backlog rule: what downtime, an import or a changed rule left behind is held for a person, never blasted out.

Invariant (promise 7): more than 50 overdue reminders, and more than three times a usual sending day's, never go out
without a person's word.
"""

import datetime as dt
from collections.abc import Sequence
from statistics import median

from reminders.domain.sending_hours import SendingCalendar, local_day, moment, previous_sending_day

ALWAYS_ALLOWED = 50
USUAL_DAYS = 3
LOOK_BACK_DAYS = 28


def overdue_before(calendar: SendingCalendar, now: dt.datetime) -> dt.datetime:
    """Return the start of the clinic's previous sending day: what was due before it is overdue."""
    today = local_day(calendar.zone, now)
    return moment(calendar.zone, previous_sending_day(calendar, today))


def sending_days_looked_at(calendar: SendingCalendar, now: dt.datetime) -> tuple[dt.date, ...]:
    """Return the sending days of the 28 days before today, oldest first."""
    today = local_day(calendar.zone, now)
    days = (today - dt.timedelta(days=ago) for ago in range(LOOK_BACK_DAYS, 0, -1))
    return tuple(day for day in days if calendar.sends_on(day))


def is_backlog(overdue: int, sent_per_sending_day: Sequence[int]) -> bool:
    """Tell whether `overdue` reminders are a backlog, given how many were sent on each sending day looked at."""
    return overdue >= least_backlog(sent_per_sending_day)


def least_backlog(sent_per_sending_day: Sequence[int]) -> int:
    """Return how many overdue reminders are a backlog at least, so that nobody need count a longer one."""
    usual = median(sent_per_sending_day) if sent_per_sending_day else 0
    return int(max(ALWAYS_ALLOWED, USUAL_DAYS * usual)) + 1
