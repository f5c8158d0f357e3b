"""A large import, beside the raw driver writing the rows that it leaves behind; each round in a process of its own."""

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
        took = said["import_s"]
        rates = {"raw": rows / said["raw_s"], "one_table": rows / said["one_table_s"]}
        shares = {"share": said["raw_s"] / took, "one_table_share": said["one_table_s"] / took}
        return Sample(rows, took, {**rates, **shares, "mb": said["mb"]})

    one = Contestant("import", f"import of {rows:,} rows on SQLite, with its plan", turn)
    rounds = interleaved([one], bench.sizes.import_rounds, bench.folder)
    part.heard(rounds)
    part.add("import", one.label, "rows/s", rounds.rates("import"))
    part.add(
        "raw", "raw driver: csv → executemany of all that the import leaves", "rows/s", rounds.facts("import", "raw")
    )
    bare = "csv → executemany of the cells into one table, none of the work"
    part.add("bare", bare, "rows/s", rounds.facts("import", "one_table"))
    part.ratio("import_speed", "SQLite", rounds.facts("import", "share"))
    part.ratio("import_memory", "SQLite", rounds.facts("import", "mb"))
    part.notes += [
        f"Against the cells in one table the import reaches {share:.1%}; the target is judged by the raw driver."
        for share in rounds.facts("import", "one_table_share")
    ]
    return part
