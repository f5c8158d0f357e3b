"""How quiet the machine is before each round: a fixed loop of the processor and a series of flushes to the disk.

Invariant: a noisy round is marked and kept; what is dropped could be what does not please.
"""

import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

LOOPS = 7
FLUSHES = 40
PAGE = b"\0" * 4096
CPU_LIMIT = 1.25
FLUSH_LIMIT = 2.0
STOLEN_LIMIT = 0.05


@dataclass(frozen=True, slots=True)
class Noise:
    """Milliseconds of the loop (median) and of a flush (median), and the share of processor time that was stolen."""

    loop_ms: float
    flush_ms: float
    load: float
    stolen: float = 0.0

    def as_json(self) -> dict[str, float]:
        """Return it as it is kept."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def measured(folder: Path) -> Noise:
    """Time the loop and the flushes now; takes about half a second. The file is made in `folder` and removed."""
    loop = statistics.median(_loop() for _ in range(LOOPS))
    return Noise(loop * 1000, statistics.median(_flushes(folder / "noise")) * 1000, os.getloadavg()[0])


def processor_time() -> tuple[float, float]:
    """Return the processor time that was stolen from this machine, and all of it, in ticks; zeros where unknown."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0, 0.0
    ticks = [float(word) for word in stat.read_text(encoding="ascii").partition("\n")[0].split()[1:9]]
    return ticks[7], sum(ticks)


def stolen_since(before: tuple[float, float]) -> float:
    """Return the share of processor time that was stolen since `before`."""
    now = processor_time()
    spent = now[1] - before[1]
    return (now[0] - before[0]) / spent if spent > 0 else 0.0


def marks(noises: Sequence[Noise]) -> list[str]:
    """Return for each round what was noisy about it, or an empty text; each is held against the quietest of its run."""
    loop = min((noise.loop_ms for noise in noises), default=0)
    flush = min((noise.flush_ms for noise in noises), default=0)
    return [", ".join(_loud(noise, loop, flush)) for noise in noises]


def _loud(noise: Noise, loop: float, flush: float) -> list[str]:
    found = []
    if noise.loop_ms > loop * CPU_LIMIT:
        found.append(f"processor {noise.loop_ms / loop:.2f}×")
    if noise.flush_ms > flush * FLUSH_LIMIT:
        found.append(f"disk {noise.flush_ms / flush:.1f}×")
    if noise.stolen > STOLEN_LIMIT:
        found.append(f"{noise.stolen:.0%} stolen")
    return found


def _loop() -> float:
    began = time.perf_counter()
    total = 0
    for number in range(300_000):
        total += number & 7
    return time.perf_counter() - began


def _flushes(path: Path) -> list[float]:
    took = []
    file = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    flush = getattr(os, "fdatasync", os.fsync)
    try:
        for _ in range(FLUSHES):
            began = time.perf_counter()
            os.write(file, PAGE)
            flush(file)
            took.append(time.perf_counter() - began)
    finally:
        os.close(file)
        path.unlink()
    return took
