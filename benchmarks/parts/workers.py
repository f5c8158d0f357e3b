"""More processes against a server that takes its time: what is gained where waiting, not work, is the limit.

The time is that from the first message sent to the last: workers stay, and are not started for each message.
"""

from benchmarks.bench import Bench, Part
from benchmarks.parts.delivery import delivered
from benchmarks.rounds import Contestant, Sample, interleaved
from benchmarks.seed import seeded
from benchmarks.sink import own_sink

DELAY_MS = 20
MANY = 4


def measure(bench: Bench) -> Part:
    """Deliver with one process and with four by turns, on PostgreSQL."""
    part, server = Part("workers"), bench.postgres
    if server is None:
        part.notes.append("Several workers were not measured: PostgreSQL is not here.")
        return part
    few, many = bench.sizes.slow // MANY, bench.sizes.slow
    templates = {count: seeded(server.fresh(), bench.folder, count, bench.sizes.clinics) for count in (few, many)}
    for template in templates.values():
        server.settle(template)
    with own_sink(DELAY_MS) as slow:

        def turn(count: int, processes: int) -> Sample:
            url = server.copy(templates[count])
            sample = delivered(bench, url, count, processes, slow.url)
            server.drop(url)
            return Sample(sample.count, sample.facts["working_s"])

        contestants = [
            Contestant("one", "1 process, a server that answers in 20 ms", lambda _: turn(few, 1)),
            Contestant("four", f"{MANY} processes, the same server", lambda _: turn(many, MANY)),
        ]
        rounds = interleaved(contestants, bench.sizes.rounds, bench.folder)
    part.heard(rounds)
    for one in contestants:
        part.add(one.key, one.label, "messages/s", rounds.rates(one.key))
    part.ratio("workers", "PostgreSQL", rounds.ratios("four", "one"))
    return part
