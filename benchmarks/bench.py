"""What every part is handed: sizes, databases, the sink, and what a part hands back.

Invariant: everything that is started ends with the context, and all files lie in one temporary folder.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.databases import Databases, PostgresServer, SqliteFiles, postgres_server
from benchmarks.programs import ROOT
from benchmarks.rounds import Rounds
from benchmarks.sink import Postfix, Sink, find_postfix, sink

PEERS = ROOT / ".venv-bench" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything; `rows` is the big table, `few_rows` the small one it is held against."""

    name: str = "full"
    rounds: int = 4
    clinics: int = 20
    messages: int = 20_000
    source: int = 20_000
    peer: int = 4_000
    jobs: int = 2_000
    letters: int = 400
    planned: int = 60_000
    few_rows: int = 10_000
    rows: int = 10_000_000
    each_round: int = 6_000
    ticks: int = 20
    slow: int = 20_000
    import_rows: int = 1_000_000
    import_rounds: int = 2
    starts: int = 15


SHORT = Sizes(
    name="short",
    rounds=2,
    clinics=3,
    messages=200,
    source=5_000,
    peer=200,
    jobs=100,
    letters=60,
    planned=3_000,
    few_rows=2_000,
    rows=20_000,
    each_round=40,
    ticks=5,
    slow=80,
    import_rows=2_000,
    import_rounds=1,
    starts=3,
)
TINY = Sizes(
    name="tiny",
    rounds=1,
    clinics=1,
    messages=40,
    source=200,
    peer=40,
    jobs=40,
    letters=10,
    planned=300,
    few_rows=300,
    rows=600,
    each_round=10,
    ticks=2,
    slow=40,
    import_rows=200,
    import_rounds=1,
    starts=1,
)
SIZES = {sizes.name: sizes for sizes in (Sizes(), SHORT, TINY)}


@dataclass(slots=True)
class Part:
    """What a part found, as it is kept: figures by name, each a value for every round.

    `ratios` holds, for a target's key, the values of every variant (a database's name, or "" where there is one).
    """

    name: str
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    ratios: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    noises: list[dict[str, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    gave_up: list[str] = field(default_factory=list)

    def add(self, key: str, label: str, unit: str, values: Sequence[float], **facts: object) -> None:
        """Add a figure; without values it is left out."""
        if values:
            rounded = [float(f"{value:.6g}") for value in values]
            self.figures[key] = {"label": label, "unit": unit, "values": rounded, **facts}

    def ratio(self, target: str, variant: str, values: Sequence[float]) -> None:
        """Add what a target is judged by; without values it is left out."""
        if values:
            self.ratios.setdefault(target, {})[variant] = [float(f"{value:.6g}") for value in values]

    def heard(self, rounds: Rounds) -> None:
        """Keep the noise of some rounds, and who gave up in them."""
        self.noises += [noise.as_json() for noise in rounds.noises]
        self.gave_up += rounds.gave_up

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything a part works with; `postgres` and `peers` are None where the machine has none."""

    sizes: Sizes
    folder: Path
    sqlite: SqliteFiles
    postgres: PostgresServer | None
    postfix: Postfix | None
    sink: Sink
    peers: Path | None

    @property
    def databases(self) -> list[Databases]:
        """Return the kinds of database there are."""
        return [self.sqlite, *([self.postgres] if self.postgres else [])]

    def peer(self, name: str, *arguments: object) -> list[str]:
        """Return the command of a peer's program; `prebuilt` alone runs without the peers' environment."""
        python = self.peers or Path(sys.executable)
        return [str(python), str(ROOT / "benchmarks" / "peers" / f"{name}.py"), *map(str, arguments)]


@contextmanager
def opened(sizes: Sizes, *, postgres: bool, own_sink: bool) -> Iterator[Bench]:
    """Start what a run needs, in a folder beside the checkout's own disk (TMPDIR says where)."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reminders-bench-")))
        server = stack.enter_context(postgres_server()) if postgres else None
        postfix = None if own_sink else find_postfix()
        found = stack.enter_context(sink(postfix))
        peers = PEERS if PEERS.exists() else None
        yield Bench(sizes, folder, SqliteFiles(folder), server, postfix, found, peers)
