"""The program as a process: what it loads, pipes, terminals, locales, interruptions and faults.

Everything here is started as a person starts it; what happens inside one process is tested beside this file.
"""

import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.architecture.checkout import ROOT
from tests.cli.desk import OF, Desk

PROGRAM = (sys.executable, "-m", "reminders.main")
HEAVY = (
    *(
        "jinja2",
        "cryptography",
        "holidays",
        "alembic",
        "rich",
        "yaml",
        "babel",
        "nh3",
        "PIL",
        "mjml",
        "rapidfuzz",
        "dns",
    ),
    *("email_validator", "openpyxl", "litestar", "uvicorn", "apscheduler", "structlog", "asyncio", "ssl"),
)
OF_HELP = {"", ".main", ".errors", ".cli", ".cli.shell", ".cli.commands", ".cli.output", ".cli.session"}
"""What of the program may be loaded to show its help; what else is loaded belongs to a command."""
NAME = "Zoë \x1b]0;owned\x07Ångström"


def start(desk: Desk, *args: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run the program in the desk's folder, with nothing of this process's own settings."""
    return subprocess.run([*PROGRAM, *args], cwd=desk.folder, env=_env(desk, env), capture_output=True, check=False)


def _env(desk: Desk, more: dict[str, str]) -> dict[str, str]:
    root = str(Path(__file__).resolve().parents[2])
    return {"PATH": os.environ["PATH"], "PYTHONPATH": root, "TZ": "Asia/Tokyo", **desk.env, **more}


def loaded(args: Sequence[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> set[str]:
    """Return the modules that a command line loads."""
    code = (
        f"import sys; sys.argv = ['reminders', *{list(args)!r}]\n"
        "try:\n    from reminders.main import main; main()\n"
        "except SystemExit:\n    print('loaded', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=cwd, env=env)
    return set(done.stdout.rpartition("loaded ")[2].split())


@pytest.mark.parametrize("args", [("--help",), ("--version",), ("treatment", "add", "--help"), ("list", "--nonsense")])
def test_asking_for_help_loads_no_heavy_library(args: Sequence[str]) -> None:
    assert loaded(args) & {"sqlalchemy", "pydantic_settings", *HEAVY} == set()


def test_help_loads_no_command() -> None:
    found = loaded(["--help"])
    assert {name for name in found if name.startswith("reminders")} == {f"reminders{name}" for name in OF_HELP}
    assert found & {"pydantic", "json", "email"} == set()


def test_a_look_at_the_reminders_loads_nothing_that_sends_them(desk: Desk) -> None:
    """What opens the database is needed, and what draws a table."""
    found = loaded(["list"], cwd=desk.folder, env=_env(desk, {}))
    assert found & set(HEAVY) <= {"cryptography", "rich", "asyncio", "ssl"}
    assert {name for name in found if name.startswith("reminders.mail.")} <= {"reminders.mail.lines"}
    assert "sqlalchemy" in found


def test_a_whole_day_works_as_a_program(bare_desk: Desk) -> None:
    del bare_desk.env["REMINDERS_SECRET_KEY"]
    assert start(bare_desk, "init").returncode == 0
    assert (bare_desk.folder / "reminders.key").stat().st_mode & 0o777 == 0o600
    assert json.loads(start(bare_desk, "clinic", "list", "--json").stdout) == []
    done = start(bare_desk, "why", *OF)
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.startswith(b"There is no clinic north")


def test_a_locale_that_knows_no_letters_ends_nothing(desk: Desk) -> None:
    desk.run("patient", "set", *OF, "--known-as", "Zoë Ångström")
    for locale in ({"LANG": "C", "LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONUTF8": "0", "LC_ALL": "POSIX"}):
        done = start(desk, "patient", "show", *OF, **locale)
        assert done.returncode == 0, done.stderr
        assert "Zoë Ångström" in done.stdout.decode("utf-8")
    assert start(desk, "why", "--clinic", "north", "--patient", "\udcff", LANG="C").returncode == 2


def test_no_colour_codes_go_into_a_pipe(desk: Desk) -> None:
    done = start(desk, "list", FORCE_COLOR="1", CLICOLOR_FORCE="1", TTY_COMPATIBLE="1", TERM="xterm-256color")
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout
    assert [line for line in done.stdout.decode().splitlines() if line != line.rstrip()] == []


def test_a_narrow_terminal_folds_and_loses_nothing(desk: Desk) -> None:
    wide = _on_a_terminal(desk, "list", COLUMNS="200")
    assert "\x1b[1m" in wide
    narrow = _on_a_terminal(desk, "list", COLUMNS="60")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", narrow)
    assert max(len(line) for line in plain.splitlines()) <= 60
    assert "".join(plain.split()).count("planned") == 3


def test_a_terminal_sees_progress_and_a_script_does_not(desk: Desk) -> None:
    assert "Planning" in _on_a_terminal(desk, "plan", COLUMNS="80")
    assert "Planning" not in _on_a_terminal(desk, "plan", "--json", COLUMNS="80")
    assert start(desk, "plan").stderr == b""


def test_a_name_cannot_speak_to_the_terminal(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.database)) as connection:
        connection.execute("UPDATE patients SET known_as = ?", (NAME + "\u202e",))
        connection.commit()
    for args in (("patient", "show", *OF), ("preview", *OF)):
        said = start(desk, *args).stdout.decode()
        assert "\x1b" not in said
        assert "\u202e" not in said
    assert "known as Zoë Ångström" in start(desk, "patient", "show", *OF).stdout.decode()


def test_a_reader_that_goes_away_is_no_fault(desk: Desk) -> None:
    _many_reminders(desk, 3_000)
    program = subprocess.Popen(
        [*PROGRAM, "list", "--json"],
        cwd=desk.folder,
        env=_env(desk, {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert program.stdout
    assert program.stderr
    program.stdout.readline()
    program.stdout.close()
    said = program.stderr.read()
    program.stderr.close()
    assert program.wait() == 1
    assert said == b""


def test_a_long_list_takes_no_more_memory_than_a_short_one(desk: Desk) -> None:
    short = _memory_of(desk, "list", "--json")
    _many_reminders(desk, 50_000)
    assert _memory_of(desk, "list", "--json") < short + 20 * 1024, "kilobytes"


def test_an_interruption_ends_quietly_with_130(desk: Desk) -> None:
    """Somebody presses Ctrl-C while another program keeps the database."""
    with closing(sqlite3.connect(desk.database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        heard = signal.signal(signal.SIGINT, signal.default_int_handler)  # one that is ignored stays so in a child
        program = subprocess.Popen(
            [*PROGRAM, "patient", "reply", *OF],
            cwd=desk.folder,
            env=_env(desk, {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        signal.signal(signal.SIGINT, heard)
        with pytest.raises(subprocess.TimeoutExpired):
            program.wait(3)  # long enough to be waiting for the database
        program.send_signal(signal.SIGINT)
        out, said = program.communicate(timeout=15)  # half of what it would have waited for the database
    assert (program.returncode, out, said) == (130, b"", b"")


@pytest.mark.parametrize("loaded", ["typer.core", "reminders.cli.options", "pydantic", "sqlalchemy.sql.base"])
def test_an_interruption_while_the_program_is_loaded_ends_with_130_and_a_line_at_most(desk: Desk, loaded: str) -> None:
    """The interpreter itself says what it has loaded; another program keeps the database, so that this one stays."""
    with closing(sqlite3.connect(desk.database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        heard = signal.signal(signal.SIGINT, signal.default_int_handler)  # as above
        command = [sys.executable, "-X", "importtime", *PROGRAM[1:], "patient", "reply", *OF]
        program = subprocess.Popen(
            command, cwd=desk.folder, env=_env(desk, {}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        signal.signal(signal.SIGINT, heard)
        assert program.stderr
        assert any(line.rpartition("|")[2].strip() == loaded for line in program.stderr)
        program.send_signal(signal.SIGINT)
        out, said = program.communicate(timeout=60)
    left = [line for line in said.splitlines() if not line.startswith("import time:")]
    assert (program.returncode, out) == (130, "")
    assert left in ([], ["Ended by Ctrl-C."])


def test_a_fault_of_the_program_is_one_sentence_without_values(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.database)) as connection:
        connection.execute("UPDATE reminders SET protocol = 'ann@home.example'")
        connection.commit()
    done = start(desk, "preview", *OF)
    assert done.returncode == 1
    said = done.stderr.decode()
    assert re.fullmatch(r"The program has a fault \(\w+ at reminders\.[\w.]+:\d+\).*\n", said)
    assert "ann@" not in said
    assert b"Traceback" in start(desk, "preview", *OF, REMINDERS_DEBUG="1").stderr


def _on_a_terminal(desk: Desk, *args: str, **env: str) -> str:
    """Run the program on a terminal of its own and return what it shows there."""
    ours, theirs = pty.openpty()
    program = subprocess.Popen(
        [*PROGRAM, *args],
        cwd=desk.folder,
        env=_env(desk, {"TERM": "xterm-256color", **env}),
        stdout=theirs,
        stderr=theirs,
        stdin=theirs,
    )
    os.close(theirs)
    shown = b""
    while piece := _read(ours):
        shown += piece
    os.close(ours)
    assert program.wait() == 0
    return shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's way to say that the other side is gone
        return b""


CHECKOUT = Path(__file__).resolve().parents[2]


def _memory_of(desk: Desk, *args: str) -> int:
    """Return the most memory (kilobytes) that the program took while it printed into nothing."""
    code = (
        f"import sys\nsys.path.append({str(CHECKOUT)!r})\n"
        "from tests.support.memory import peak_kilobytes\n"
        f"sys.argv = ['reminders', *{list(args)!r}]\n"
        "from reminders.main import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n"
        "    print(end.code, peak_kilobytes(), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=desk.folder,
        env=_env(desk, {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    ended, memory = done.stderr.split()
    assert ended == "0"
    return int(memory)


def _many_reminders(desk: Desk, rows: int) -> None:
    """Copy the last call as if somebody had sent it again by hand, over and over."""
    with closing(sqlite3.connect(desk.database)) as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(reminders)") if row[1] not in ("id", "copy")]
        same = ", ".join(names)
        connection.execute(
            f"INSERT INTO reminders ({same}, copy) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "  # noqa: S608 - the columns' own names
            f"WHERE i < {rows}) SELECT {same}, i FROM reminders, n WHERE id = 3"
        )
        connection.commit()


def test_the_unit_for_systemd_is_printed_where_nothing_was_made_yet(bare_desk: Desk) -> None:
    assert bare_desk.run("run", "--unit") == (ROOT / "deploy" / "reminders.service").read_text(encoding="utf-8")
    assert not list(bare_desk.folder.iterdir())
