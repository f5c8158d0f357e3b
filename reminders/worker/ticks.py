"""Runs one tick: calls its verb, and says in one line what went wrong, whatever it was; the next tick comes regardless.

Invariants: no error of a tick reaches the scheduler; a log line never holds what an error holds, only its kind and the
sentence of its class; a tick whose database or disk fails is tried again after growing pauses with jitter.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from reminders.clock import Monotonic
from reminders.domain.backoff import pause
from reminders.errors import RemindersError
from reminders.log import Log, sentence_of
from reminders.services.guarding.lock import SendingLocked
from reminders.worker.signs import Signs

SAID_AGAIN_S = 3600.0


class EndsNow(Exception):
    """A tick ends before its work is done, since the process is to end or the clock is not to be trusted."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Something done every `every_s` seconds, first after `first_s`; `act` is handed what it calls to show life."""

    name: str
    every_s: float
    act: Callable[[Callable[[], None]], None]
    first_s: float = 0.0


@dataclass(slots=True)
class _Trouble:
    """What a tick failed with last, how often in a row, when it may try again, and when that was last said."""

    kind: str
    failures: int
    until: float
    said_at: float


@dataclass(slots=True)
class Ticker:
    """Runs ticks, and knows which of them fail."""

    log: Log
    signs: Signs
    time: Monotonic
    chance: random.Random
    _troubles: dict[str, _Trouble] = field(default_factory=dict)
    _said: dict[str, float] = field(default_factory=dict)

    def say_seldom(self, event: str, **facts: object) -> None:
        """Warn of something that stays as it is until somebody mends it: once an hour."""
        now, before = self.time.monotonic(), self._said.get(event)
        if before is None or now - before >= SAID_AGAIN_S:
            self._said[event] = now
            self.log.warning(event, **facts)

    def degraded_but(self, name: str) -> bool:
        """Tell whether any other tick than `name` failed when it last ran."""
        return bool(self._troubles.keys() - {name})

    def rests(self, names: Iterable[str]) -> bool:
        """Tell whether one of these failed a moment ago, and is not to be tried again yet."""
        now = self.time.monotonic()
        return any(name in self._troubles and now < self._troubles[name].until for name in names)

    def run(self, tick: Tick) -> None:
        """Run a tick, unless it failed a moment ago; nothing it does raises."""
        if self.rests([tick.name]):
            self.signs.end(tick.name)
            return
        self.signs.begin(tick.name)
        try:
            tick.act(lambda: self.signs.beat(tick.name))
            self._well(tick.name)
        except EndsNow:
            return
        except RemindersError as error:
            self._failed(tick.name, error, sentence_of(error))
        except Exception as error:  # noqa: BLE001 - whatever it was, the clock goes on; its text may hold data
            self._failed(tick.name, error, None)
        finally:
            self.signs.end(tick.name)

    def _well(self, name: str) -> None:
        if self._troubles.pop(name, None) is not None:
            self.log.info("a tick works again", tick=name)

    def _failed(self, name: str, error: Exception, said: str | None) -> None:
        now, kind = self.time.monotonic(), type(error).__name__
        before = self._troubles.get(name)
        failures = before.failures + 1 if before else 1
        until = now + pause(failures, self.chance.random()).total_seconds()
        # a lock stops several ticks at once, and is one thing to hear of
        alike = self._troubles.values() if isinstance(error, SendingLocked) else filter(None, [before])
        told = max((one.said_at for one in alike if one.kind == kind), default=None)
        old = told is not None and now - told < SAID_AGAIN_S
        self._troubles[name] = _Trouble(kind, failures, until, told if told is not None and old else now)
        if not old:
            say = self.log.warning if said else self.log.error
            say("a tick failed and is tried again", tick=name, problem=kind, said=said)
