"""The maintenance window: four days counted from the treatment's day, from which every step is counted.

Invariant: `opens` is never sooner than the protocol's minimum, and no other day of the window is before `opens`.
"""

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from reminders.domain.interval import Interval
from reminders.domain.protocol import Anchor, Protocol


class Window(NamedTuple):
    """Four days in the clinic's zone: earliest to offer, typical, late, and the end."""

    opens: dt.date
    due: dt.date
    overdue: dt.date
    closes: dt.date

    def day(self, anchor: Anchor) -> dt.date:
        """Return the day that `anchor` names."""
        days = {
            Anchor.OPENS: self.opens,
            Anchor.DUE: self.due,
            Anchor.OVERDUE: self.overdue,
            Anchor.CLOSES: self.closes,
        }
        return days[anchor]


class AllowedDays(NamedTuple):
    """The days, both inclusive, on which a step may go out; none when `last` is before `first`."""

    first: dt.date
    last: dt.date


def earliest_opening(protocol: Protocol, day: dt.date) -> dt.date:
    """Return the first day that may be offered after something done on `day` (product rules, The window)."""
    return max(protocol.opens.after(day), day + dt.timedelta(days=protocol.min_days))


def window_of(protocol: Protocol, treated_on: dt.date, own_due: Interval | None = None) -> Window:
    """Return the window of a treatment on `treated_on`; a patient's own interval replaces `due`.

    An own interval later than the protocol's moves `overdue` and `closes` by as many days; an earlier one leaves them.
    """
    return _window_of(protocol, treated_on, own_due)


@lru_cache(maxsize=16_384)
def _window_of(protocol: Protocol, treated_on: dt.date, own_due: Interval | None) -> Window:
    """Return a window: a clinic's patients were treated on the same few hundred days."""
    opens = earliest_opening(protocol, treated_on)
    due = max(protocol.due.after(treated_on), opens)
    overdue = max(protocol.overdue.after(treated_on), opens)
    closes = max(protocol.closes.after(treated_on), opens)
    if own_due is None:
        return Window(opens, due, overdue, closes)
    own = max(own_due.after(treated_on), opens)
    later = max(own - due, dt.timedelta(0))
    return Window(opens, own, overdue + later, closes + later)


def spaced(window: Window, protocol: Protocol, others: Iterable[dt.date]) -> Window:
    """Return `window` moved behind the later treatments of other lines of the group, given by their days."""
    opens = max((earliest_opening(protocol, day) for day in others), default=window.opens)
    if opens <= window.opens:
        return window
    shift = opens - window.opens
    return Window(window.opens + shift, window.due + shift, window.overdue + shift, window.closes + shift)


def allowed_days(protocol: Protocol, window: Window) -> tuple[AllowedDays, ...]:
    """Return each step's allowed days, in the order of `protocol.steps`.

    A step may go out until the day before the next step's day, the last one until `closes`.
    """
    firsts = [step.offset.after(window.day(step.anchor)) for step in protocol.steps]
    lasts = [first - dt.timedelta(days=1) for first in firsts[1:]] + [window.closes]
    return tuple(AllowedDays(first, min(last, window.closes)) for first, last in zip(firsts, lasts, strict=True))
