"""Times the neutral page behind links of every kind that opens nothing, and says whether the times tell them apart.

Usage: python -m benchmarks.neutral_page [TIMES]. The kinds take turns, so that a busy machine slows all alike; what is
compared are medians, and the promise is that none is more than a tenth away from that of an unknown link.
"""

import datetime as dt
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.support.clinic import INVITED_AT, FakeClock, Office, install
from tests.support.site import Letter, Site, app_of, letters

USUAL_TIMES = 2_000
MOST_APART = 0.10


def main(times: int) -> int:
    """Run the benchmark in a temporary folder; 1 when a kind of link can be told by its time."""
    with tempfile.TemporaryDirectory() as folder:
        found = _measured(Path(folder), times)
    usual = statistics.median(found["unknown"])
    apart = {kind: statistics.median(seconds) / usual - 1 for kind, seconds in found.items()}
    for kind, seconds in found.items():
        print(f"{kind:14} {statistics.median(seconds) * 1000:7.3f} ms  {apart[kind]:+.1%}")  # noqa: T201 - a benchmark's report
    return int(max(abs(share) for share in apart.values()) > MOST_APART)


def _measured(folder: Path, times: int) -> dict[str, list[float]]:
    url = f"sqlite:///{folder / 'reminders.db'}"
    install(url)
    office = Office(url, FakeClock())
    paths = _links(office, folder / "letters")
    site = Site(app_of(office))
    found: dict[str, list[float]] = {kind: [] for kind in paths}
    for _ in range(times):
        for kind, path in paths.items():
            begun = time.perf_counter()
            reply = site.ask("GET", path)
            found[kind].append(time.perf_counter() - begun)
            if reply.status != 404:  # noqa: PLR2004 - the status of the neutral page
                sys.exit(f"The link of the kind {kind} opens a page.")
    site.close()
    office.close()
    return found


def _links(office: Office, folder: Path) -> dict[str, str]:
    """Return a link of every kind that opens nothing: two patients were written to, one of them was erased."""
    office.add_clinic()
    office.add_due(2)
    office.clock.set(INVITED_AT)
    office.plan()
    of = {str(letter.content["To"]): letter for letter in letters(office, folder)}
    kept, gone = (_whose(of, ref) for ref in ("p1", "p2"))
    office.erase("P2")
    office.clock.set(INVITED_AT + dt.timedelta(days=61))
    return {
        "unknown": f"/p/{'x' * len(kept.request)}",
        "old": f"/p/{kept.request}",
        "erased": f"/p/{gone.request}",
        "erased, stop": f"/u/{gone.stop}",
        "other purpose": f"/p/{kept.stop}",
        "one letter off": f"/p/{kept.request[:-1]}.",
        "malformed": "/p/../healthz",
    }


def _whose(letters_by_address: dict[str, Letter], ref: str) -> Letter:
    return next(letter for address, letter in letters_by_address.items() if f"{ref}@" in address)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else USUAL_TIMES))
