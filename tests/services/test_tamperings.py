"""Whoever has the database's password, but not the key, tampers with it: each is found, named and placed.

`make storm` tries more than 500 of them; every run of the tests tries some of each family on both databases.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reminders.services.audit import audit
from reminders.services.finding import Finding
from reminders.store.audit_trail import record
from tests.support.clinic import FakeClock, Office
from tests.support.database import Copies
from tests.support.lively import NOW, crowded, lively
from tests.support.tamper import Family, Tampered, Tampering, first
from tests.support.tamper_rows import CROWD, ROWS, SERVER_ONLY, twice
from tests.support.tamper_trail import TRAIL, cut

pytestmark = pytest.mark.xdist_group("tamperings")
SEED = 7
CUTS = 15
some_or_all = pytest.mark.parametrize("share", ["some", pytest.param("all", marks=pytest.mark.storm)])


class Scene:
    """A database that is tampered with, audited and mended again, over and over."""

    def __init__(self, url: str) -> None:
        self.office = Office(url, FakeClock(NOW))
        self.tampered = Tampered.of(url)

    def close(self) -> None:
        self.tampered.engine.dispose()
        self.office.close()

    def audit(self, against: tuple[Path, ...] = (), checkpoint: Path | None = None) -> tuple[Finding, ...]:
        found = audit(self.office.database, self.office.clock, self.office.keys, against=against, checkpoint=checkpoint)
        return found.findings

    def overlooked(self, tampering: Tampering) -> str | None:
        """Tamper, audit, mend; say what an audit did not see."""
        tampering.do()
        if tampering.planned:
            self.office.plan()
        findings = self.audit()
        self.tampered.undo(everything=tampering.planned)
        told = (one for one in findings if one.promise == tampering.promise)
        if any(tampering.names == f"reminder {one.reminder_id}" or tampering.names in one.problem for one in told):
            return None
        seen = [(one.promise, one.reminder_id, one.problem) for one in findings]
        return f"{tampering.name}: wanted {tampering.promise} {tampering.names!r}, got {seen[:6]}"


@pytest.fixture
def scene(copies: Copies) -> Iterator[Scene]:
    made = Scene(copies.copy(lively))
    yield made
    made.close()


@pytest.fixture
def crowd(copies: Copies) -> Iterator[Scene]:
    made = Scene(copies.copy(crowded, "crowd"))
    yield made
    made.close()


def drawn(given: tuple[Family, int], scene: Scene, name: str, backend: str, share: str) -> list[Tampering]:
    """Return so many of a family; two thirds are tried on SQLite, where an audit is quicker."""
    family, count = given
    whole = count * 3 // 2 if backend == "sqlite" else count * 2 // 3
    wanted = whole if share == "all" else max(2, whole // 5)
    return first(family, scene.tampered, wanted, f"{SEED} {name} {backend}")


@some_or_all
@pytest.mark.parametrize("name", TRAIL)
def test_every_tampering_with_the_trail_is_found_and_its_entry_named(
    scene: Scene, name: str, backend: str, share: str, record_property: Callable[[str, object], None]
) -> None:
    tried = drawn(TRAIL[name], scene, name, backend, share)
    if share == "all":
        record_property("tamperings", len(tried))
    assert [missed for one in tried if (missed := scene.overlooked(one))] == []
    assert scene.audit() == ()


@some_or_all
@pytest.mark.parametrize("name", ROWS)
def test_every_tampering_with_a_promise_is_found_and_its_row_named(
    scene: Scene, name: str, backend: str, share: str, record_property: Callable[[str, object], None]
) -> None:
    tried = drawn(ROWS[name], scene, name, backend, share)
    if share == "all":
        record_property("tamperings", len(tried))
    assert [missed for one in tried if (missed := scene.overlooked(one))] == []
    assert scene.audit() == ()


@pytest.mark.parametrize("name", CROWD)
def test_a_backlog_that_is_let_out_silently_is_found(crowd: Scene, name: str) -> None:
    family, count = CROWD[name]
    tried = first(family, crowd.tampered, count, SEED)
    assert [missed for one in tried if (missed := crowd.overlooked(one))] == []


def test_a_cut_at_the_end_is_found_by_any_checkpoint_taken_before(scene: Scene, tmp_path: Path) -> None:
    taken = tmp_path / "before"
    assert scene.audit(checkpoint=taken) == ()
    chance = random.Random(SEED)
    cuts = cut(scene.tampered, chance)
    for _ in range(CUTS):
        left, rows = next(cuts)
        scene.tampered.put("audit", rows)
        found = [one.problem for one in scene.audit(against=(taken,)) if one.promise == 10]
        assert any(problem.startswith(f"the audit trail ends at entry {left}, and the checkpoint") for problem in found)
        scene.tampered.undo()


def test_a_cut_end_that_was_overgrown_since_is_found_by_a_checkpoint(scene: Scene, tmp_path: Path) -> None:
    taken = tmp_path / "before"
    assert scene.audit(checkpoint=taken) == ()
    last = len(scene.tampered.rows("audit"))
    cuts = cut(scene.tampered, random.Random(SEED))
    for _ in range(5):
        left, rows = next(cuts)
        scene.tampered.put("audit", rows)
        with scene.office.database.write(NOW, "cli") as tx:  # the product itself goes on from there
            for number in range(last - left + 3):
                record(tx, "note", "patient", 1, clinic_id=1, patient_id=1, details={"about": str(number)})
        found = [one.problem for one in scene.audit(against=(taken,)) if one.promise == 10]
        assert any(problem.startswith(f"entry {last} of the audit trail is not the one that") for problem in found)
        scene.tampered.undo()


def test_most_cuts_show_without_a_checkpoint_in_what_the_trail_no_longer_explains(scene: Scene, backend: str) -> None:
    if backend in SERVER_ONLY:
        return  # nothing in it depends on the kind of database
    cuts = cut(scene.tampered, random.Random(SEED))
    for _ in range(CUTS):
        _, rows = next(cuts)
        scene.tampered.put("audit", rows)
        assert scene.audit() != ()
        scene.tampered.undo()


def test_two_reminders_of_one_identity_and_two_messages_of_one_id_are_found(scene: Scene, backend: str) -> None:
    if backend not in SERVER_ONLY:
        return  # an SQLite file's unique rules cannot be dropped; tests/services/test_audit.py rebuilds a table instead
    tried = first(twice, scene.tampered, 6, SEED)
    assert [missed for one in tried if (missed := scene.overlooked(one))] == []


def test_there_are_five_hundred_of_them() -> None:
    each = sum(count for _, count in (*TRAIL.values(), *ROWS.values(), *CROWD.values())) + 2 * CUTS + 5
    assert 2 * each >= 500


def test_every_finding_says_what_to_do(scene: Scene, backend: str) -> None:
    if backend in SERVER_ONLY:
        return  # nothing in it depends on the kind of database
    kinds: dict[str, str] = {}
    for family, _ in ROWS.values():
        for tampering in first(family, scene.tampered, 3, 99):
            tampering.do()
            kinds |= {one.problem: one.advice for one in scene.audit()}
            scene.tampered.undo()
    assert len(kinds) > 20
    for problem, advice in kinds.items():
        assert advice.split()[0] in {"ask", "find", "keep", "overwrite", "report", "run"}, problem
        assert len(advice) > 30, problem
