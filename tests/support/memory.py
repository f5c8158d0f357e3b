"""How much memory this program has held at most, not counting what its parent held when it was started.

Invariant: on Linux the figure belongs to the program alone; `ru_maxrss` there remembers the parent across exec.
"""

import resource
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_kilobytes() -> int:
    """Return the peak resident size in kilobytes."""
    if _STATUS.exists():
        for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
