"""A disk of a few megabytes that can really be full, or read-only: a file system in memory that only one scene sees.

Run as a program, in a namespace of its own, it plays scenes: functions of tests that are handed the mounted disk.
Invariant: nothing is mounted where other programs look, so nothing is left behind however a test ends.
"""

import functools
import importlib
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.support.forking import Program, obey

_ALONE = ("unshare", "--mount", "--propagation", "private")


def _namespace() -> tuple[str, ...]:
    return _ALONE if os.geteuid() == 0 else (*_ALONE, "--map-root-user")


@functools.cache
def why_not() -> str | None:
    """Return why no disk can be made here, None where it can."""
    try:
        tried = subprocess.run(
            [*_namespace(), "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return "a full disk needs Linux's `unshare` and `mount`, and they are not here"
    return None if tried.returncode == 0 else f"this machine lets no test mount a disk: {tried.stderr.strip()}"


def _mount() -> str:
    return shutil.which("mount") or "mount"


class SmallDisk:
    """A mounted disk; `folder` is its root."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        folder.mkdir()
        subprocess.run([_mount(), "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)

    def fill(self, leaving: int = 0) -> Path:
        """Fill the disk up to some bytes with a file; deleting it makes room again."""
        ballast = self.folder / "ballast"
        usage = os.statvfs(self.folder)
        with ballast.open("wb") as file:
            file.write(bytes(max(0, usage.f_bavail * usage.f_frsize - leaving)))
        return ballast

    def read_only(self, *, on: bool = True) -> None:
        """Let nothing be written to the disk any more, or again."""
        subprocess.run([_mount(), "-o", f"remount,{'ro' if on else 'rw'}", self.folder], check=True)


class Stage(Program):
    """Plays scenes, each in a process of its own with a new disk."""

    def __init__(self) -> None:
        super().__init__("tests.support.small_disk", _namespace())

    def play(self, scene: Callable[..., None], folder: Path, *given: str, megabytes: int = 8) -> None:
        """Play a module's function on a new disk at `folder`; what it finds wrong fails the test."""
        order = {"module": scene.__module__, "scene": scene.__name__, "given": given}
        self.begin(order | {"folder": str(folder), "megabytes": megabytes})
        self.go()
        assert self.finished() is not None


def _play(order: Mapping[str, Any]) -> dict[str, Any]:
    disk = SmallDisk(Path(order["folder"]), order["megabytes"])
    getattr(importlib.import_module(order["module"]), order["scene"])(disk, *order["given"])
    return {}


if __name__ == "__main__":
    importlib.import_module("tests.support.clinic")  # once for all scenes
    obey(_play)
