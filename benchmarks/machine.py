"""What a run was made on: the machine, the versions, the server's settings, the state of the checkout."""

import importlib.metadata
import os
import platform
import sqlite3
import subprocess
from collections.abc import Mapping
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.programs import HANDED_ON, ROOT, alone, environment

OURS = ("sqlalchemy", "psycopg", "jinja2", "typer")
THEIRS = ("django", "django-post-office", "apscheduler", "procrastinate", "psycopg", "sqlalchemy")


def described(bench: Bench) -> dict[str, str]:
    """Return what the report says of the machine, in the order it says it."""
    found = {
        "Processor": f"{_processor()}, {os.cpu_count()} of them seen",
        "Memory": _memory(),
        "System": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "SQLite": _sqlite(),
        "Ours": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in OURS),
        "Mail sink": bench.sink.name,
    }
    if bench.postgres:
        found["PostgreSQL"] = ", ".join(f"{name} {value}" for name, value in bench.postgres.settings().items())
    if bench.peers:
        found["Peers"] = _peers(bench, bench.peers)
    if handed := _handed(os.environ):
        found["Settings of the product"] = handed
    return found


def commit() -> str:
    """Return the checkout's commit, with a mark when files were changed since; "unknown" outside git."""
    asked = ("git", "describe", "--always", "--dirty")
    said = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    return said.stdout.strip() or "unknown"


def _handed(env: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={env[name]}" for name in HANDED_ON if name in env)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8", errors="replace").splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB"


def _sqlite() -> str:
    return f"{sqlite3.sqlite_version}, WAL, synchronous FULL"


def _peers(bench: Bench, python: Path) -> str:
    asked = f"import importlib.metadata as m; print(', '.join(f'{{n}} {{m.version(n)}}' for n in {THEIRS!r}))"
    return alone([str(python), "-c", asked], environment(), bench.folder).strip()
