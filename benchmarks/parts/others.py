"""The peers as contestants: what each is set up as, and what is missing on this machine."""

from collections.abc import Callable, Sequence

from benchmarks.bench import Bench
from benchmarks.databases import PostgresServer
from benchmarks.letter import LetterFile, small_letter
from benchmarks.programs import alone, document, environment, together
from benchmarks.rounds import Contestant, Sample, Turn
from benchmarks.sink import Postfix

PROCESSES = 2
SESSIONS = 8


def contestants(bench: Bench, letter: LetterFile) -> list[Contestant]:
    """Return everybody who can take part here; they send `letter`, and two of them a small one besides."""
    small = small_letter(bench.folder)
    found = [_prebuilt(bench, "prebuilt", letter, "the same bytes")]
    found.append(_prebuilt(bench, "prebuilt-small", small, "4 KB"))
    if bench.postfix:
        found.append(_source(bench, bench.postfix, "source", letter, "the same size"))
        found.append(_source(bench, bench.postfix, "source-small", small, "4 KB"))
    if bench.peers and bench.postgres:
        found += _with_database(bench, bench.postgres, letter)
    return found


def left_out(bench: Bench) -> list[str]:
    """Return a sentence for everybody who cannot take part."""
    said = []
    if not bench.postfix:
        said.append(
            "smtp-source did not take part: postfix's programs are not on this machine (PATH, REMINDERS_POSTFIX)."
        )
    if not (bench.peers and bench.postgres):
        said.append("The peers with a database did not take part: their environment or PostgreSQL is not here.")
    return said


def _prebuilt(bench: Bench, key: str, letter: LetterFile, size: str) -> Contestant:
    def turn(_: int) -> Sample:
        count = bench.sizes.source // PROCESSES
        command = bench.peer("prebuilt", bench.sink.port, count, letter.path)
        took, _said = together([command] * PROCESSES, environment(), bench.folder)
        return Sample(count * PROCESSES, took)

    return Contestant(key, f"prebuilt bytes, smtplib, {PROCESSES} processes ({size})", turn)


def _source(bench: Bench, postfix: Postfix, key: str, letter: LetterFile, size: str) -> Contestant:
    def turn(_: int) -> Sample:
        count = bench.sizes.source
        who = ("-f", "hello@clinic.example", "-t", "p@patients.example")
        how = ("-s", str(SESSIONS), "-d", "-l", str(letter.size), "-m", str(count))
        command = [postfix.source, *how, *who, f"127.0.0.1:{bench.sink.port}"]
        took, _said = together([command], environment(postfix.env), bench.folder)
        return Sample(count, took)

    return Contestant(key, f"smtp-source -s {SESSIONS} -d, C, no content made ({size})", turn)


def _with_database(bench: Bench, server: PostgresServer, letter: LetterFile) -> list[Contestant]:
    return [
        _post_office(bench, server, letter, "post_office", "words"),
        _post_office(bench, server, letter, "post_office-bytes", "bytes"),
        _queued(bench, server, letter, "queued", 1, 10),
        _queued(bench, server, letter, "queued-batches", 100, 4),
        _scheduled(bench, server, letter),
    ]


def _post_office(bench: Bench, server: PostgresServer, letter: LetterFile, key: str, builder: str) -> Contestant:
    count = bench.sizes.peer
    rest = (bench.sink.port, count, letter.path, builder, PROCESSES)

    def turn(url: str) -> Sample:
        took, _ = together([bench.peer("django_mail", "send", url, *rest)], environment(), bench.folder)
        return Sample(count, took)

    def prepare(url: str) -> None:
        alone(bench.peer("django_mail", "prepare", url, *rest), environment(), bench.folder)

    built = "its own builder" if builder == "words" else "our bytes"
    return Contestant(key, f"django-post_office, {PROCESSES} processes, {built}", _on(server, prepare, turn))


def _queued(
    bench: Bench, server: PostgresServer, letter: LetterFile, key: str, batch: int, concurrency: int
) -> Contestant:
    count = bench.sizes.jobs if batch == 1 else bench.sizes.peer
    rest = (bench.sink.port, count, letter.path, batch, concurrency)

    def turn(url: str) -> Sample:
        command: Sequence[str] = bench.peer("queued", "work", url, *rest)
        took, _ = together([command] * PROCESSES, environment(), bench.folder)
        return Sample(count, took)

    def prepare(url: str) -> None:
        alone(bench.peer("queued", "prepare", url, *rest), environment(), bench.folder)

    label = "a job per mail" if batch == 1 else f"a job per {batch} mails"
    return Contestant(
        key, f"Procrastinate, {label}, {PROCESSES} processes of {concurrency}", _on(server, prepare, turn)
    )


def _scheduled(bench: Bench, server: PostgresServer, letter: LetterFile) -> Contestant:
    count = bench.sizes.jobs

    def turn(url: str) -> Sample:
        command = bench.peer("scheduled", url, bench.sink.port, count, letter.path)
        said = document(alone(command, environment(), bench.folder))
        facts = {"added_per_s": float(said["added_per_s"]), "lost": 1 - said["sent"] / count}
        return Sample(said["sent"], said["seconds"], facts)

    label = "APScheduler, a stored job per reminder, all due at once, its defaults"
    return Contestant("scheduled", label, _on(server, lambda _: None, turn))


def _on(server: PostgresServer, prepare: Callable[[str], None], turn: Callable[[str], Sample]) -> Turn:
    """Return a turn on a database of its own, filled and brought to rest before its time runs."""

    def whole(_: int) -> Sample:
        url = server.fresh()
        try:
            prepare(url)
            server.settle(url)
            return turn(url)
        finally:
            server.drop(url)

    return whole
