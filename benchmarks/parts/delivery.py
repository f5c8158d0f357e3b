"""End to end: everything due at one moment is sent by two processes, beside everybody else who can send mail.

All of them have the same sink and, on PostgreSQL, the same server; a turn's time is that of whole processes, from the
first start to the last end. What a peer needs beforehand (its tables, its queue) is made before its turn's time.
"""

import datetime as dt

from benchmarks.bench import Bench, Part
from benchmarks.databases import Databases, ask
from benchmarks.letter import own_letter
from benchmarks.parts import others
from benchmarks.programs import ProgramFailed, document, together
from benchmarks.rounds import Contestant, Rounds, Sample, interleaved, say
from benchmarks.seed import REMINDERS, seeded, settings
from reminders.clock import SystemClock

PROCESSES = 2


def measure(bench: Bench) -> Part:
    """Run all who can send mail in interleaved rounds."""
    part, contestants, templates = Part("delivery"), [], []
    for databases in bench.databases:
        say(f"  making {bench.sizes.messages:,} due reminders on {databases.kind}")
        template = seeded(databases.fresh(), bench.folder, bench.sizes.messages, bench.sizes.clinics)
        databases.settle(template)
        contestants.append(_ours(bench, databases, template))
        templates.append(template)
    letter = own_letter(bench.folder, templates[0])
    contestants += others.contestants(bench, letter)
    rounds = interleaved(contestants, bench.sizes.rounds, bench.folder)
    part.heard(rounds)
    for one in contestants:
        part.add(one.key, one.label, "messages/s", rounds.rates(one.key))
    for databases in bench.databases:
        _ratios(part, rounds, databases.kind)
    _jobs(part, rounds)
    part.notes += [
        *others.left_out(bench),
        f"Everybody sends to {bench.sink.name}; the message has {letter.size:,} bytes.",
    ]
    return part


def _ours(bench: Bench, databases: Databases, template: str) -> Contestant:
    def turn(_: int) -> Sample:
        url = databases.copy(template)
        sample = delivered(bench, url, bench.sizes.messages, PROCESSES, bench.sink.url)
        databases.drop(url)
        return sample

    return Contestant(f"ours-{databases.kind}", f"Reminders on {databases.kind}, {PROCESSES} processes", turn)


def delivered(bench: Bench, url: str, due: int, processes: int, smtp_url: str) -> Sample:
    """Let so many `reminders deliver` send what is due; the facts hold what was lost, and what is in doubt.

    `working_s` among them are the seconds from the first message sent to the last: without starting the programs.
    """
    begun = SystemClock().now()
    env = settings(url, bench.folder, REMINDERS_SMTP_URL=smtp_url)
    took, printed = together([[*REMINDERS, "deliver", "--json"]] * processes, env, bench.folder)
    outcomes = [document(words) for words in printed]
    sent, working = _sent_since(url, begun)
    told = sum(outcome["sent"] for outcome in outcomes)
    if told != sent:
        raise ProgramFailed(f"{told} were told of as sent, and {sent} are stored as sent")
    unknown = sum(outcome["unknown"] for outcome in outcomes)
    return Sample(sent, took, {"lost": due - sent, "unknown": unknown, "working_s": working})


def _sent_since(url: str, begun: dt.datetime) -> tuple[int, float]:
    """Return how many were sent, and the seconds from the first to the last."""
    moment = f"{begun.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S.%f}{'' if url.startswith('sqlite') else '+00'}"
    asked = f"SELECT count(*), min(sent_at), max(sent_at) FROM reminders WHERE sent_at >= '{moment}'"  # noqa: S608 - a moment
    count, first, last = ask(url, asked)[0]
    if not count:
        return 0, 0.0
    both = [at if isinstance(at, dt.datetime) else dt.datetime.fromisoformat(at) for at in (first, last)]
    return int(count), (both[1] - both[0]).total_seconds()


def _ratios(part: Part, rounds: Rounds, kind: str) -> None:
    ours = f"ours-{kind}"
    for target, theirs in (("post_office", "post_office"), ("smtp_source", "source"), ("prebuilt", "prebuilt")):
        part.ratio(target, kind, rounds.ratios(ours, theirs))
    part.ratio("lost", kind, rounds.facts(ours, "lost"))
    bytes_too = rounds.ratios(ours, "post_office-bytes")
    part.add(f"same-{kind}", f"Reminders on {kind} / django-post_office with our bytes", "×", bytes_too)


def _jobs(part: Part, rounds: Rounds) -> None:
    part.add("jobs-added", "APScheduler: jobs added", "jobs/s", rounds.facts("scheduled", "added_per_s"))
    part.add("jobs-lost", "APScheduler: share of due jobs never run", "share", rounds.facts("scheduled", "lost"))
