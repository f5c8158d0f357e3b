"""Mail servers that are rude at random, over whole deliveries: nobody twice, nobody lost, and an end.

A session is a connection to such a server; a run is a clinic with two patients, a seed, and as many sessions as it
takes until both are settled.
"""

from collections import Counter
from collections.abc import Callable

import pytest

from reminders.domain.lifecycle import State
from tests.support.chaos_office import ChaosOffice
from tests.support.chaos_server import ChaosServer
from tests.support.chaos_sessions import run

SEEDS = range(60)
SESSIONS = 10_000
PINNED: tuple[int, ...] = ()
"""Seeds that once found a bug."""


def test_random_sessions_write_to_nobody_twice_and_lose_nobody(
    chaos_patients: ChaosOffice, chaos_server: ChaosServer
) -> None:
    counted = Counter[str]()
    for seed in (*PINNED, *SEEDS):
        counted += run(chaos_patients, chaos_server, seed)
    assert counted["sessions"] >= 150
    settled = {str(state): counted[state] for state in (State.SENT, State.FAILED, State.UNKNOWN)}
    assert sum(settled.values()) == 2 * (len(PINNED) + len(SEEDS))
    assert min(settled.values()) > 0  # it was neither tame nor hopeless


@pytest.mark.storm
def test_ten_thousand_random_sessions_write_to_nobody_twice_and_lose_nobody(
    chaos_patients: ChaosOffice, chaos_server: ChaosServer, record_property: Callable[[str, object], None]
) -> None:
    seed, counted = 1000, Counter[str]()
    while counted["sessions"] < SESSIONS:
        counted += run(chaos_patients, chaos_server, seed)
        seed += 1
    settled = {str(state): counted[state] for state in (State.SENT, State.FAILED, State.UNKNOWN)}
    assert sum(settled.values()) == 2 * (seed - 1000)
    for name, count in {"sessions": counted["sessions"], **settled}.items():
        record_property(name, count)
