"""Keeps what the event loop has to say to a line a minute, without a traceback and without a value.

Invariant: a client that opens connections until none are left fills no log.
"""

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from reminders.clock import Clock
from reminders.log import IN_OUR_WORDS

_PAUSE = dt.timedelta(minutes=1)
_NO_ROOM = "The pages can take no more connections for now: this process has as many files open as it may."


class OneAMinute(logging.Filter):
    """Lets one warning or error a minute through, in a sentence of ours."""

    def __init__(self, clock: Clock) -> None:
        """Take the clock that tells the minutes."""
        super().__init__()
        self._clock = clock
        self._said: dt.datetime | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is let through, and put it in our words."""
        if record.levelno < logging.WARNING:
            return True
        now = self._clock.now()
        if self._said is not None and abs(now - self._said) < _PAUSE:
            return False
        self._said = now
        record.msg, record.args = _sentence(record), ()
        record.exc_info = record.exc_text = record.stack_info = None
        setattr(record, IN_OUR_WORDS, True)
        return True


@contextmanager
def few_words(clock: Clock) -> Iterator[None]:
    """Keep the event loop's log short while the context lasts."""
    log, bound = logging.getLogger("asyncio"), OneAMinute(clock)
    log.addFilter(bound)
    try:
        yield
    finally:
        log.removeFilter(bound)


def _sentence(record: logging.LogRecord) -> str:
    if isinstance(record.msg, str) and "accept()" in record.msg:
        return _NO_ROOM
    kind = record.exc_info[0] if record.exc_info else None
    return f"The pages' event loop met a fault: {kind.__name__ if kind else 'of no known kind'}."
