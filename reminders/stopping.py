"""How a process is asked to end: the first SIGTERM or Ctrl-C asks, the second ends it at once. A closed terminal asks.

Invariant: being asked changes a flag and nothing else, so that it may happen at any instant of anything.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

GRACE_S = 30.0
"""How long what is on its way may take to come to its end (product rules: nothing becomes unknown by a clean stop)."""

_LOOKS_EVERY_S = 0.2
_BY_SIGNAL = 128
_HANGS_UP = getattr(signal, "SIGHUP", None)
ASKS = (signal.SIGTERM, signal.SIGINT, *((_HANGS_UP,) if _HANGS_UP is not None else ()))


class Stop:
    """Whether this process was asked to end. `leave` ends it at once with an exit code."""

    def __init__(self, leave: Callable[[int], object] = os._exit) -> None:
        """Nobody has asked yet."""
        self._hung_up = self._interrupted = False
        self._asked = False  # no threading.Event: setting one from a signal may wait for a lock that this thread holds
        self._leave = leave

    def ask(self) -> None:
        """Ask it to end when what is on its way has come to its end."""
        self._asked = True

    def asked(self) -> bool:
        """Tell whether it was asked."""
        return self._asked or self._hung_up

    def interrupted(self) -> bool:
        """Tell whether a person at its terminal asked (Ctrl-C), and not whoever supervises it."""
        return self._interrupted

    def heard(self, number: int, _frame: FrameType | None = None) -> None:
        """Take a signal: the first asks, the second does not wait.

        A terminal that is closed says so more than once, and beside whoever ends the process with it: it only asks.
        """
        if number == _HANGS_UP:
            self._hung_up = True
            return
        if self._asked:
            self._leave(_BY_SIGNAL + number)
        self._interrupted = number == signal.SIGINT
        self._asked = True

    def wait(self) -> None:
        """Return once it was asked."""
        while not self.asked():
            threading.Event().wait(_LOOKS_EVERY_S)


def _asks() -> tuple[signal.Signals, ...]:
    """Return what asks this process to end: not a closed terminal where somebody said that it does not (nohup)."""
    return tuple(one for one in ASKS if one != _HANGS_UP or signal.getsignal(one) is not signal.SIG_IGN)


@contextmanager
def on_signals(stop: Stop) -> Iterator[None]:
    """Let SIGTERM, SIGINT and SIGHUP ask while the context lasts; called in the main thread."""
    before = {number: signal.signal(number, stop.heard) for number in _asks()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stopping_within(stop: Stop, grace_s: float = GRACE_S, leave: Callable[[int], object] = os._exit) -> Iterator[None]:
    """As `on_signals`, for work that the main thread does itself: `grace_s` after it was asked the process is left.

    A timer of the system does that and no thread: one cannot be started from within a signal safely.
    """

    def asked(number: int, frame: FrameType | None) -> None:
        first = not stop.asked()
        stop.heard(number, frame)
        if first and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, grace_s)

    def late(_number: int, _frame: FrameType | None) -> None:
        leave(_BY_SIGNAL + signal.SIGINT)

    timed = {signal.SIGALRM: late} if hasattr(signal, "SIGALRM") else {}
    handlers = {**dict.fromkeys(_asks(), asked), **timed}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        if timed:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
