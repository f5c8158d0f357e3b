"""The only place that asks what time it is; everything else is handed a `Clock` or a value.

Invariant: a moment is an aware datetime in UTC.
"""

import datetime as dt
from typing import Protocol


class Clock(Protocol):
    """Tells the present moment."""

    def now(self) -> dt.datetime:
        """Return the present as an aware datetime in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """Return the machine's present moment, aware, in UTC."""
        return dt.datetime.now(dt.UTC)
