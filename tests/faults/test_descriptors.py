"""A clock that may open no file and no connection any more: it says so, loses nothing, and goes on when it may."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.test_duty import invitations, order, with_due
from tests.support.clinic import FakeClock, Office
from tests.support.forking import Program
from tests.support.killing_server import KillingServer
from tests.support.smtp_server import RudeServer
from tests.support.ticking import eventually

pytestmark = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits a process that runs")

FEW = 5
"""So many descriptors are open before anything is done: from here on, none can be had."""

MANY = 1024
PATIENTS = 8


def allow(pid: int, count: int) -> None:
    """Let a process have descriptors up to a number; those that it has it keeps."""
    _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (count, most))


@pytest.mark.parametrize(("phase", "nth"), [("ehlo", 1), ("dot", 3)])
def test_f40_a_clock_that_can_open_nothing_more_says_so_and_nothing_is_lost_or_in_doubt(
    installed_file: Path,
    tmp_path: Path,
    ledger: KillingServer,
    capfd: pytest.CaptureFixture[str],
    phase: str,
    nth: int,
) -> None:
    url, said = with_due(installed_file, tmp_path, PATIENTS), [""]
    with contextlib.closing(Office(url, FakeClock())) as office:
        office.change_patient(f"P{PATIENTS}", language="de")  # whose template is still to be opened

    def says(words: str) -> bool:
        said[0] += capfd.readouterr().err
        return words in said[0]

    with Program("tests.support.ticking") as clocks:
        pid = clocks.begin(order(url, ledger))
        ledger.arm(phase, nth, lambda: allow(pid, FEW))
        clocks.go()
        try:
            assert eventually(lambda: says("MeansLacking"), 20), (said, invitations(url))
            assert set(invitations(url)) <= {"planned", "claimed", "sent"}, "no template is broken"
            allow(pid, MANY)
            assert eventually(lambda: says("a tick works again"), 20), said
            assert eventually(lambda: invitations(url) == {"sent": PATIENTS}, 20), invitations(url)
            os.kill(pid, signal.SIGTERM)
            assert clocks.finished() == {}
        except BaseException:
            os.kill(pid, signal.SIGKILL)
            raise
    assert not says("Traceback")
    assert sorted(Counter(taken.recipient for taken in ledger.accepted).values()) == [1] * PATIENTS


DIALS = """
import errno, resource, sys
from reminders.mail.smtp import Security, SmtpTransport
from reminders.services.means import naming_means

host, port, security, most = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_NOFILE, (int(most), resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
try:
    with naming_means():
        transport = SmtpTransport(host, int(port), Security[security])
        print("made")
        transport.connect()
except Exception as told:
    print(type(told).__name__)
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "mail.clinic.example"])
def test_f40_a_server_is_not_blamed_where_no_socket_is_left(host: str) -> None:
    assert dialled(host, "NEVER") == ["made", "MeansLacking"]


@pytest.mark.parametrize("security", ["STARTTLS", "IMPLICIT"])
def test_f40_no_certificate_is_blamed_where_the_authorities_could_not_be_read(security: str) -> None:
    with RudeServer() as server:
        assert dialled("127.0.0.1", security, server.port, sockets=1) == ["made", "MeansLacking"]


def dialled(host: str, security: str, port: int = 25, *, sockets: int = 0) -> list[str]:
    """Return what a process that can open nothing but so many sockets says of connecting to a server."""
    command = [sys.executable, "-c", DIALS, host, str(port), security, str(3 + sockets)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
