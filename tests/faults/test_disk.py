"""A disk that is really full, or read-only, under a delivery: nothing is claimed, one sentence, and no repair after."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reminders.domain.lifecycle import State
from reminders.services.points import Point
from reminders.store.database import quick_check
from reminders.store.faults import DatabaseUnwritable, DiskFull, DiskTrouble
from reminders.store.soundness import DiskNearlyFull, Room, room_left
from tests.acceptance.grounds import ALWAYS_OPEN
from tests.support import small_disk
from tests.support.clinic import INVITED_AT, FakeClock, Office, Once
from tests.support.post import Post
from tests.support.small_disk import SmallDisk, Stage

MESSAGES = 6
needs_a_disk = pytest.mark.skipif(small_disk.why_not() is not None, reason=str(small_disk.why_not()))


@dataclass(slots=True)
class Scene:
    """An office on a disk of its own, with messages due."""

    disk: SmallDisk
    office: Office
    post: Post

    def deliver_the_rest(self) -> None:
        """Deliver once the disk is well again: everything goes out, each once, without any repair."""
        self.office.clock.advance(minutes=2)
        self.office.deliver(self.post)
        receivers = [letter.recipient for letter in self.post.letters]
        assert len(receivers) == len(set(receivers)) == MESSAGES
        assert {row.state for row in self.office.rows() if row.step == "invitation"} == {State.SENT}
        assert quick_check(self.office.database.address) == ()


@contextlib.contextmanager
def open_scene(disk: SmallDisk, installed: str) -> Iterator[Scene]:
    """Give an office on the disk, with messages due now."""
    path = shutil.copy(installed, disk.folder / "reminders.db")
    with contextlib.closing(Office(f"sqlite:///{path}", FakeClock())) as office:
        office.add_clinic(**ALWAYS_OPEN)
        office.add_due(MESSAGES)
        office.clock.set(INVITED_AT)
        yield Scene(disk, office, Post(office.clock.now))


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as made:
        yield made


def nearly_full(disk: SmallDisk, installed: str) -> None:
    with open_scene(disk, installed) as scene:
        ballast = disk.fill(leaving=200_000)
        with pytest.raises(DiskNearlyFull, match="only 0 MB left"):
            scene.office.deliver(scene.post)
        assert scene.post.letters == []
        assert State.CLAIMED not in {row.state for row in scene.office.rows()}
        ballast.unlink()
        scene.deliver_the_rest()


@needs_a_disk
def test_f07_nothing_is_claimed_while_the_disk_is_nearly_full(
    stage: Stage, installed_file: Path, tmp_path: Path
) -> None:
    stage.play(nearly_full, tmp_path / "disk", str(installed_file))


class Ballast:
    """Fills the disk at a point of a delivery, and makes room when the delivery has tried twice in vain."""

    def __init__(self, disk: SmallDisk) -> None:
        self._disk, self._beats = disk, 0
        self._file: Path | None = None

    def fill(self) -> None:
        self._file, self._beats = self._disk.fill(), 0

    def beat(self) -> None:
        self._beats += 1
        if self._beats == 3:
            self.take_out()

    def take_out(self) -> None:
        if self._file:
            self._file.unlink(missing_ok=True)


def filling_up(disk: SmallDisk, installed: str, point: str) -> None:
    with open_scene(disk, installed) as scene:
        ballast = Ballast(disk)
        with contextlib.suppress(DiskFull, DiskTrouble, DiskNearlyFull):
            scene.office.deliver(scene.post, observe=Once(Point(point), ballast.fill), beat=ballast.beat)
        assert len(scene.post.letters) in (0, MESSAGES)
        assert scene.post.letters or point not in (Point.FENCED, Point.ANSWERED)
        ballast.take_out()
        scene.deliver_the_rest()


@needs_a_disk
@pytest.mark.parametrize("point", [Point.CLAIMED, Point.CONNECTED, Point.BODY_WRITTEN, Point.FENCED, Point.ANSWERED])
def test_f07_a_disk_that_fills_up_during_a_message_leaves_nothing_half(
    stage: Stage, installed_file: Path, tmp_path: Path, point: Point
) -> None:
    stage.play(filling_up, tmp_path / "disk", str(installed_file), point)


def entering(disk: SmallDisk, installed: str) -> None:
    with open_scene(disk, installed) as scene:
        ballast = disk.fill()
        with pytest.raises(DiskFull, match="no room left"):
            scene.office.add_due(50, prefix="Q")
        assert len({row.patient for row in scene.office.rows()}) == MESSAGES
        ballast.unlink()
        scene.office.add_due(50, prefix="Q")
        assert len({row.patient for row in scene.office.rows()}) == MESSAGES + 50


@needs_a_disk
def test_f07_a_full_disk_refuses_an_entry_in_one_sentence_and_takes_it_afterwards(
    stage: Stage, installed_file: Path, tmp_path: Path
) -> None:
    stage.play(entering, tmp_path / "disk", str(installed_file))


def erasing(disk: SmallDisk, installed: str) -> None:
    with open_scene(disk, installed) as scene:
        ballast = disk.fill()
        with pytest.raises(DiskFull):
            scene.office.erase("P1")
        ballast.unlink()
        gone = [row.patient for row in scene.office.rows() if row.patient.startswith("erased-")]
        scene.office.erase(gone[0] if gone else "P1")
        left = b"".join(path.read_bytes() for path in disk.folder.iterdir())
        assert b"AdaP1" not in left
        assert b"AdaP2" in left


@needs_a_disk
def test_f07_an_erasure_on_a_full_disk_says_so_and_is_finished_when_there_is_room(
    stage: Stage, installed_file: Path, tmp_path: Path
) -> None:
    stage.play(erasing, tmp_path / "disk", str(installed_file))


def turning_read_only(disk: SmallDisk, installed: str) -> None:
    with open_scene(disk, installed) as scene:
        scene.office.close()
        disk.read_only()
        with pytest.raises(DatabaseUnwritable):
            scene.office.deliver(scene.post)
        assert scene.post.letters == []
        scene.office.close()
        disk.read_only(on=False)
        scene.deliver_the_rest()


@needs_a_disk
def test_f07_nothing_is_claimed_on_a_disk_that_became_read_only(
    stage: Stage, installed_file: Path, tmp_path: Path
) -> None:
    stage.play(turning_read_only, tmp_path / "disk", str(installed_file))


def test_f07_enough_room_is_200_megabytes_or_a_twentieth_of_a_small_disk() -> None:
    mega = 1024 * 1024
    assert Room(200 * mega, 10**13).enough
    assert not Room(200 * mega - 1, 10**13).enough
    assert Room(50 * mega, 1000 * mega).enough
    assert not Room(50 * mega - 1, 1000 * mega).enough


def test_f07_a_server_keeps_its_own_disk() -> None:
    assert room_left("postgresql://localhost/reminders") is None
