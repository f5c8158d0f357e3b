"""Waits for a database that is away when the clock begins: its server still starts, or another program keeps the file.

Invariants: what only a person can mend is raised at once, everything else is waited for; being asked to end is heard
whatever the database does meanwhile, for it is asked from a thread of its own.
"""

import os
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from typing import TypeVar

from reminders.clock import Monotonic
from reminders.domain.backoff import pause
from reminders.errors import RemindersError
from reminders.log import Log, sentence_of
from reminders.stopping import Stop
from reminders.store.faults import CommitUnknown, DatabaseBusy, DatabaseUnreachable, DiskTrouble
from reminders.worker.ticks import SAID_AGAIN_S, EndsNow
from reminders.worker.watchdog import EXIT

T = TypeVar("T")

AWAY = (DatabaseBusy, DatabaseUnreachable, DiskTrouble, CommitUnknown)
"""What passes without a person, as far as one can tell; no right to open a file does not."""

SAID_AFTER_S = 5.0
"""How long an answer may take before it is said that there is none."""

SILENCE_S = 120.0
"""After so long a connection that does not answer is dead: only a new process is sure to get another."""

_LOOKS_EVERY_S = 0.2


def _rest(seconds: float) -> object:
    return threading.Event().wait(seconds)


def aside(act: Callable[[], T]) -> "Future[T]":
    """Do `act` in a thread that nobody has to wait for, and return what will become of it."""
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(act())
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is taken
            done.set_exception(error)

    threading.Thread(target=run, name="aside", daemon=True).start()
    return done


@dataclass(slots=True)
class Waiting:
    """Waits until the database answers, in growing pauses; `rest` takes seconds, `leave` ends the process."""

    stop: Stop
    log: Log
    time: Monotonic
    chance: random.Random
    rest: Callable[[float], object] = _rest
    leave: Callable[[int], object] = os._exit
    _said_at: float | None = None

    def for_answer(self, ask: Callable[[], T]) -> T:
        """Return what `ask` returns, once the database is there.

        Raises `EndsNow` when the process is asked to end meanwhile, and at once whatever does not pass by itself.
        """
        failures = 0
        while True:
            try:
                answer = self._answer(ask)
            except AWAY as error:
                failures += 1
                self._say(error)
                self._pause(pause(failures, self.chance.random()).total_seconds())
            else:
                if self._said_at is not None:
                    self.log.info("the database is there")
                    self._said_at = None
                return answer

    def _answer(self, ask: Callable[[], T]) -> T:
        began, asked = self.time.monotonic(), aside(ask)
        while wait_for([asked], _LOOKS_EVERY_S).not_done:
            self._go_on()
            silent_s = self.time.monotonic() - began
            if silent_s >= SAID_AFTER_S:
                self._say(None)
            if silent_s >= SILENCE_S:
                self._give_up()
        return asked.result()

    def _give_up(self) -> None:
        self.log.error("the database never answered: the process ends so that its supervisor starts it anew", code=EXIT)
        self.log.close()
        self.leave(EXIT)

    def _pause(self, seconds: float) -> None:
        until = self.time.monotonic() + seconds
        while (left := until - self.time.monotonic()) > 0:
            self._go_on()
            self.rest(min(left, _LOOKS_EVERY_S))

    def _go_on(self) -> None:
        if self.stop.asked():
            self.log.info("asked to end before the clock began")
            raise EndsNow

    def _say(self, error: RemindersError | None) -> None:
        now = self.time.monotonic()
        if self._said_at is None or now - self._said_at >= SAID_AGAIN_S:
            self._said_at = now
            problem, said = (type(error).__name__, sentence_of(error)) if error else (None, None)
            self.log.warning("the clock waits for its database, which does not answer", problem=problem, said=said)
