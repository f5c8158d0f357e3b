"""Seeds that once broke something, each with a sentence of what it found; they are run by every `make test`.

Invariant: a seed stays for as long as the world of its size still comes the way it did; a changed engine moves it, and
then its sentence is kept beside a seed that shows the same: it names the count of a world which tells that it does.
"""

from tests.simulation.options import Size
from tests.simulation.seeds import SHORT

PINNED: tuple[tuple[int, Size, str, str], ...] = (
    (
        19,
        SHORT,
        "accepted late",
        "the late answer of a worker that lost its lease past the fence is no message that nobody handed over",
    ),
)
