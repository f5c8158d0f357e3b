"""A large import, beside reading the same file and inserting it with nothing thought; each in a process of its own."""

import sys

from benchmarks.bench import Bench, Part
from benchmarks.programs import alone, document, environment
from benchmarks.rounds import Contestant, Sample, interleaved


def measure(bench: Bench) -> Part:
    """Import invented visits into an empty SQLite database, as often as there are rounds for it."""
    part, rows = Part("importing"), bench.sizes.import_rows

    def turn(_: int) -> Sample:
        command = [sys.executable, "-m", "benchmarks.import_rows", str(rows), "--json"]
        said = document(alone(command, environment(), bench.folder))
        share = said["bare_s"] / said["import_s"]
        return Sample(rows, said["import_s"], {"share": share, "bare": rows / said["bare_s"], "mb": said["mb"]})

    one = Contestant("import", f"import of {rows:,} rows on SQLite, with its plan", turn)
    rounds = interleaved([one], bench.sizes.import_rounds, bench.folder)
    part.heard(rounds)
    part.add("import", one.label, "rows/s", rounds.rates("import"))
    part.add("bare", "csv → executemany, nothing judged or planned", "rows/s", rounds.facts("import", "bare"))
    part.ratio("import_speed", "SQLite", rounds.facts("import", "share"))
    part.ratio("import_memory", "SQLite", rounds.facts("import", "mb"))
    return part
