"""Writes what the program does by itself as lines on standard error, for people (`text`) or for machines (`json`).

Invariants: a line holds the fields of `FIELDS` and nothing else, and in them no address, no token and no URL; saying
something never waits and never fails, whatever becomes of whoever reads the lines.
"""

import datetime as dt
import enum
import inspect
import logging
import queue
import re
import string
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, Literal, TextIO

import structlog

from reminders.clock import Clock

FIELDS = frozenset(
    {"at", "level", "event", "tick", "worker", "clinic", "problem", "said", "count", "seconds", "part", "state"}
    | {"sent", "deferred", "failed", "unknown", "cancelled", "expired", "held", "announced", "planned", "lost"}
    | {"bytes_dropped", "links_dropped", "heartbeats_dropped", "next_at", "until", "code"}
)
"""What a line may hold: kinds of things, counts, lengths, moments, and a clinic's slug."""

Form = Literal["text", "json"]
LONGEST = 300
"""How much of a text is said that is not a sentence of ours: whoever wrote it may go on for ever."""
_WAITING = 1000
_LAST_WORDS_S = 1.0
_NOT_SHOWN = "(not shown)"
_PRIVATE = re.compile(r"[a-zA-Z][a-zA-Z+.-]*:/\S*|\S*@\S*|/[pu]/\S+|[\w~-]{32,}")
"""Addresses of people and of pages, passwords in URLs, the paths of links, and words so long that they are tokens."""


class Log:
    """Says what happens. The lines are written by a thread of its own; those it cannot keep up with are counted."""

    def __init__(self, form: Form, clock: Clock, stream: TextIO | None = None) -> None:
        """Write to `stream`, by default standard error as it is now."""
        self._lines = _Lines(stream or sys.stderr, self._lost)

        def dated(_: object, __: str, fields: MutableMapping[str, Any]) -> Mapping[str, Any]:
            return {"at": f"{clock.now().astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}", **fields}

        render = (
            structlog.processors.JSONRenderer()
            if form == "json"
            else structlog.processors.LogfmtRenderer(key_order=["at", "level", "event"], drop_missing=True)
        )
        self._processors = [structlog.processors.add_log_level, dated, only_known, render]
        self._log = structlog.wrap_logger(
            self._lines,
            processors=self._processors,
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            cache_logger_on_first_use=False,
        )

    def info(self, event: str, **fields: object) -> None:
        """Say that something happened as it should."""
        self._log.info(event, **fields)

    def warning(self, event: str, **fields: object) -> None:
        """Say that something is wrong and will be tried again."""
        self._log.warning(event, **fields)

    def error(self, event: str, **fields: object) -> None:
        """Say that somebody has to do something."""
        self._log.error(event, **fields)

    def thread_died(self, how: threading.ExceptHookArgs) -> None:
        """Say that a thread ended by an error, in place of a traceback with values in it."""
        name, kind = how.thread.name if how.thread else None, how.exc_type.__name__
        self.error("a thread died", part=name, problem=kind)

    def _lost(self, count: int) -> str:
        """Return the line that says how many others were lost, in the form of all lines."""
        line: Any = {"event": "log lines were lost", "lost": count}
        for process in self._processors:
            line = process(None, "warning", line)
        return str(line)

    def close(self) -> None:
        """Write what waits, for a second at most."""
        self._lines.close()


class _Lines:
    """A bounded queue of lines and the thread that writes them."""

    def __init__(self, stream: TextIO, say_lost: Callable[[int], str]) -> None:
        self._stream = stream
        self._say_lost = say_lost
        self._queue: queue.Queue[str | None] = queue.Queue(_WAITING)
        self._lost = 0
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def info(self, line: str) -> None:
        """Let a line be written, or count it as lost."""
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            self._lost += 1

    warning = error = info

    def close(self) -> None:
        """Let the thread end once everything is written."""
        try:
            self._queue.put(None, timeout=_LAST_WORDS_S)
        except queue.Full:
            return
        self._thread.join(_LAST_WORDS_S)

    def _run(self) -> None:
        while (line := self._queue.get()) is not None:
            lost, self._lost = self._lost, 0
            try:
                self._stream.write(f"{line}\n" if not lost else f"{line}\n{self._say_lost(lost)}\n")
                self._stream.flush()
            except (OSError, ValueError):  # nobody reads any more, or the disk is full: the work goes on
                continue


def only_known(_: object, __: str, fields: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Drop every field that is not in `FIELDS`, and hide what looks like an address, a token or a URL in the rest."""
    return {name: _shown(value) for name, value in fields.items() if name in FIELDS and value is not None}


def _shown(value: object) -> object:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    text = value if isinstance(value, str) else type(value).__name__
    plain = " ".join(text.split())
    return plain if isinstance(value, OwnWords) else _PRIVATE.sub(_NOT_SHOWN, plain)[:LONGEST]


class OwnWords(str):
    """A sentence of ours in which nothing is filled in but numbers and codes: an example in it may be shown."""

    __slots__ = ()


def sentence_of(error: BaseException) -> OwnWords:
    """Return an error's own sentence with its numbers and codes filled in, and … for every other fact of it."""
    pattern = " ".join(inspect.cleandoc(type(error).__doc__ or "").split())
    facts: Mapping[str, object] = getattr(error, "facts", {})
    said = ""
    for words, name, _, _ in string.Formatter().parse(pattern):
        fact = facts.get(name) if name else None
        said += words + ("" if name is None else str(fact) if isinstance(fact, int | float | enum.Enum) else "…")
    return OwnWords(said)


@contextmanager
def opened_log(form: Form, clock: Clock, stream: TextIO | None = None) -> Iterator[Log]:
    """Give a log, and let what libraries, the pages and dying threads report go through it while the context lasts."""
    log = Log(form, clock, stream)
    heard, root, before = _Heard(log), logging.getLogger(), threading.excepthook
    root.addHandler(heard)
    threading.excepthook = log.thread_died
    try:
        yield log
    finally:
        threading.excepthook = before
        root.removeHandler(heard)
        log.close()


IN_OUR_WORDS = "in_our_words"
"""The mark on a record whose sentence is one of ours."""


class _Heard(logging.Handler):
    """Passes on what the standard library's loggers are told: our own sentences, and of others only their kind."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Say a record in a line of ours."""
        ours = record.name.partition(".")[0] == "reminders" or getattr(record, IN_OUR_WORDS, False)
        say = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        if ours:
            say(record.getMessage(), part=record.name)
            return
        kind = record.exc_info[0] if record.exc_info else None
        say("a library met a problem", part=record.name.partition(".")[0], problem=kind.__name__ if kind else None)
