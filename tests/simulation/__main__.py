"""Replays a seed with a line for everything that happens: `python -m tests.simulation SEED [DAYS PATIENTS CLINICS]`."""

import sys

from tests.simulation.options import Size, derive
from tests.simulation.seeds import SHORT, run_seed


def main() -> None:
    """Replay."""
    seed, *size = (int(one) for one in sys.argv[1:])
    wanted = Size(*size) if size else SHORT
    print(derive(seed, wanted))  # noqa: T201 - it is a program
    found = run_seed(seed, wanted, print)
    print(found.digest, dict(found.counts.most_common()))  # noqa: T201 - as above


if __name__ == "__main__":
    main()
