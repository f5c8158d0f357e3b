"""`reminders serve` as a program: where it listens, why it does not, and how it ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import pytest

from reminders.app import App
from reminders.web.serve import CannotListen, served
from tests.support.clinic import Office

KEY = "a key that only the tests of the pages know"


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        return int(found.getsockname()[1])


def environment(folder: Path, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REMINDERS_")}
    return {
        **kept,
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "REMINDERS_DATABASE_URL": f"sqlite:///{folder / 'reminders.db'}",
        "REMINDERS_SECRET_KEY": KEY,
        "REMINDERS_LISTEN": f"127.0.0.1:{port}",
    }


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "reminders.main", *args]


def run(folder: Path, *args: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*args), cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def serving(folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    env = environment(folder, port)
    assert run(folder, "init", env=env).returncode == 0
    program = subprocess.Popen(
        command("serve"), cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert program.stdout is not None
        assert program.stdout.readline() == f"The pages are at http://127.0.0.1:{port}. Ctrl-C ends them.\n"
        yield program
    finally:
        program.kill()
        program.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_asked_to_end_and_ends_well(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    with serving(tmp_path, port) as program:
        assert httpx2.get(f"http://127.0.0.1:{port}/healthz").text == "alive\n"
        assert httpx2.get(f"http://127.0.0.1:{port}/readyz").text == "ready\n"
        assert httpx2.get(f"http://127.0.0.1:{port}/p/a-token-that-nobody-knows").status_code == 404
        program.send_signal(number)
        out, err = program.communicate(timeout=30)
    assert program.returncode == 0
    assert err == ""
    assert "a-token" not in out


def test_it_refuses_to_start_without_a_database(tmp_path: Path) -> None:
    done = run(tmp_path, "serve", env=environment(tmp_path, free_port()))
    assert (done.returncode, done.stdout) == (4, "")
    assert "reminders init" in done.stderr


def test_it_refuses_a_place_that_is_taken(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        env = environment(tmp_path, port)
        assert run(tmp_path, "init", env=env).returncode == 0
        done = run(tmp_path, "serve", env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"The pages cannot be served on 127.0.0.1:{port}: another program listens there. "
        "Choose another place with REMINDERS_LISTEN.\n"
    )


@pytest.mark.parametrize("place", ["192.0.2.1:8000", "no-such-host.invalid:8000"])
def test_it_refuses_a_place_that_is_not_of_this_machine(app: App, place: str) -> None:
    with pytest.raises(CannotListen, match="REMINDERS_LISTEN"), served(app, place):
        pass


def test_help_loads_no_web_server(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['reminders', '--help']\n"
        "from reminders.main import main\n"
        "try: main()\n"
        "finally: sys.stderr.write(' '.join(m for m in ('litestar', 'uvicorn', 'sqlalchemy') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "serve" in done.stdout
    assert done.stderr == ""


def test_readiness_says_no_when_the_database_is_gone_and_yes_when_it_is_back(office: Office, app: App) -> None:
    path = Path(office.database.address.removeprefix("sqlite:///"))
    with served(app, "127.0.0.1:0") as address:
        assert httpx2.get(f"{address}/readyz").status_code == 200
        path.rename(path.with_suffix(".away"))
        assert httpx2.get(f"{address}/readyz").status_code == 200, "asked at most once a second"
        office.clock.advance(seconds=1)
        found = httpx2.get(f"{address}/readyz")
        assert (found.status_code, found.text) == (503, "not ready\n")
        assert httpx2.get(f"{address}/healthz").status_code == 200
        path.with_suffix(".away").rename(path)
        office.clock.advance(seconds=1)
        assert httpx2.get(f"{address}/readyz").status_code == 200
