"""Simulated months with every fault: no promise breaks, the same seed is the same world, and the checks can fail."""

import functools
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation import seeds
from tests.simulation.checks import Broken
from tests.simulation.options import Size, derive
from tests.simulation.pinned import PINNED
from tests.simulation.seeds import SHORT, SeedBroken, run_seed
from tests.simulation.world import Found, World

TINY = Size(days=24, patients=14, clinics=2)
A_FEW = range(1032, 1040)
together = pytest.mark.xdist_group("worlds")  # what became of a seed is looked at twice, and lived once


@functools.cache
def lived(seed: int) -> Found:
    return run_seed(seed)


@together
@pytest.mark.parametrize("seed", A_FEW)
def test_no_promise_breaks_whatever_goes_wrong(seed: int) -> None:
    lived(seed)


@together
def test_the_few_put_every_promise_to_the_test_and_meet_every_misadventure() -> None:
    counts = sum((lived(seed).counts for seed in A_FEW), Counter[str]())
    promises = [f"promise {number}" for number in (1, 2, 3, 4, 5, 6, 7, 10, 11)]
    befell = ["crash", "crowd", "put_back", "locked", "moved", "clone", "zone", "erase", "nothing"]
    assert [name for name in promises + befell if not counts[name]] == []


@pytest.mark.parametrize(("seed", "size", "shown_by", "found"), PINNED)
def test_what_a_seed_once_found_stays_mended(seed: int, size: Size, shown_by: str, found: str) -> None:
    assert run_seed(seed, size).counts[shown_by], f"this world does not show any more: {found}"


def test_with_the_real_letters_no_promise_breaks_either() -> None:
    assert run_seed(77, TINY, in_earnest=True).counts["accepted"]


def test_the_same_seed_is_the_same_world_also_in_another_process() -> None:
    told = run_seed(5, TINY).digest
    code = "from tests.simulation.test_simulation import TINY, run_seed; print(run_seed(5, TINY).digest)"
    env = os.environ | {"PYTHONHASHSEED": "3", "PYTHONPATH": str(Path(__file__).parents[2])}
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert again.stdout.strip() == told


def test_another_seed_is_another_world_and_its_options_can_be_read() -> None:
    assert derive(1, SHORT) == derive(1, SHORT) != derive(2, SHORT)
    said = str(derive(1, SHORT))
    assert "seed = 1" in said
    assert "crash_at_point" in said


def _world(tmp_path: Path, seed: int = 3) -> World:
    file = tmp_path / "reminders.db"
    file.write_bytes(seeds.installed())
    return World(derive(seed, TINY), file)


def _busy(tmp_path: Path) -> World:
    """Return a world of a seed in which messages go out."""
    return _world(tmp_path, 5)


def test_a_server_that_takes_every_message_twice_is_noticed(tmp_path: Path) -> None:
    world = _busy(tmp_path)
    world.server.twice = True
    with pytest.raises(Broken, match=r"without having been handed over|accepted twice"):
        world.run()


def test_a_ledger_that_lacks_a_sent_message_is_noticed(tmp_path: Path) -> None:
    world = _busy(tmp_path)
    world.server.accept = lambda *_: None  # the server says 250 and keeps nothing
    with pytest.raises(Broken, match="was never accepted"):
        world.run()


def test_a_message_to_somebody_whom_the_books_forbid_is_noticed(tmp_path: Path) -> None:
    world = _busy(tmp_path)
    begin = world._begin  # noqa: SLF001 - a forged entry in the books

    def forged() -> None:
        begin()
        for person in world.books.people:
            person.out_of.add("all")

    world._begin = forged  # type: ignore[method-assign] # noqa: SLF001 - as above
    with pytest.raises(Broken, match="although they opted out"):
        world.run()


def test_a_step_that_vanished_is_noticed(tmp_path: Path) -> None:
    world = _busy(tmp_path)
    begin = world._begin  # noqa: SLF001 - as above

    def forged() -> None:
        begin()
        with world.office.write() as tx:
            tx.connection.exec_driver_sql("DELETE FROM reminders WHERE state = 'planned'")
        world.checks.patients(one.id for one in world.books.people)

    world._begin = forged  # type: ignore[method-assign] # noqa: SLF001 - as above
    with pytest.raises(Broken, match="promise 2"):
        world.run()


def test_a_broken_seed_says_how_to_see_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: World) -> None:
        raise Broken("promise 9: for example")

    monkeypatch.setattr(World, "run", broken)
    with pytest.raises(SeedBroken, match=r"promise 9[\s\S]*python -m tests.simulation 12 45 20 3[\s\S]*rates ="):
        run_seed(12)
