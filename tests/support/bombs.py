"""Work that a confined process must not survive, or not be able to do: run in one of its own by the tests of that.

Invariant: it is only ever run behind `reminders.mail.templates.confined.serve`, whose limits it is there to reach.
"""

import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2

from reminders.mail.templates.confined import serve

ROOT = Path(__file__).resolve().parents[2]


def program(name: str) -> tuple[str, ...]:
    """Return the command that runs one of these in a process of its own."""
    code = f"import sys; sys.path.insert(0, sys.argv[1]); from tests.support import bombs; bombs.main({name!r})"
    return (sys.executable, "-I", "-X", "utf8", "-c", code, str(ROOT))


def main(name: str) -> None:
    """Answer one question with the work of this name."""
    serve(WORK[name])


def _fill(question: dict[str, Any]) -> Mapping[str, object]:
    """Fill a template as no clinic's ever is: with the engine's whole language and nothing in between."""
    return {"said": jinja2.Environment().from_string(question["source"]).render()}  # noqa: S701 - a bomb is wanted


def _wait(_: dict[str, Any]) -> Mapping[str, object]:
    threading.Event().wait()
    return {}


def _flood(_: dict[str, Any]) -> Mapping[str, object]:
    while True:
        os.write(1, b"x" * 65536)


def _leave(_: dict[str, Any]) -> Mapping[str, object]:
    os._exit(0)


def _abort(_: dict[str, Any]) -> Mapping[str, object]:
    os.abort()


def _fail(_: dict[str, Any]) -> Mapping[str, object]:
    raise RuntimeError("a name that nobody may read")


def _babble(_: dict[str, Any]) -> Mapping[str, object]:
    os.write(1, b"this is no JSON")
    return {}


def _look_around(question: dict[str, Any]) -> Mapping[str, object]:
    """Return what a process of this kind can see and do."""
    try:
        with open(question["file"], "w", encoding="utf-8") as file:  # noqa: PTH123 - as plain as can be
            file.write("x")
        written = True
    except OSError:
        written = False
    return {
        "environment": sorted(os.environ),
        "written": written,
        "inherited": _open(question["descriptor"]),
        "folder": str(Path.cwd()),
        "path": sys.path,
    }


def _open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


WORK: Mapping[str, Callable[[dict[str, Any]], Mapping[str, object]]] = {
    "fill": _fill,
    "wait": _wait,
    "flood": _flood,
    "leave": _leave,
    "abort": _abort,
    "fail": _fail,
    "babble": _babble,
    "look_around": _look_around,
}
