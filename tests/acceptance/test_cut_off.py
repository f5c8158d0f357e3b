"""A machine that is cut off the network in the middle of a statement keeps nobody out for long."""

from pathlib import Path

import pytest

from reminders.clock import SystemClock, SystemMonotonic
from reminders.store.database import Database, create_or_upgrade
from tests.support.network import Namespace, cable
from tests.support.postgres import start
from tests.support.running import Running


def test_a_machine_cut_off_in_the_middle_of_a_statement_keeps_nobody_out_for_long(tmp_path: Path) -> None:
    cluster, time = start(), SystemMonotonic()
    try:
        name = cluster.make()
        create_or_upgrade(cluster.url(name))
        with cable(cluster) as between:
            if not isinstance(between, Namespace):
                pytest.skip("a relay on this machine answers for who is behind it")
            half = ("tests.support.half_said", between.database(name))
            others = Database(cluster.url(name), audit_key=b"the key of a test", busy_ms=60_000)
            with Running(tmp_path, half, within=between.within) as cut_off:
                assert cut_off.says("half of it is said"), cut_off.text
                between.pull()
                began = time.monotonic()
                with others.write(SystemClock().now, "test"):
                    waited = time.monotonic() - began
            others.close()
        assert 5 < waited < 50, "it had it, and it lost it"
    finally:
        cluster.server.cleanup()
