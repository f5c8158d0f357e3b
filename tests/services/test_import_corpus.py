"""Hundreds of files as nobody should make them: each is read to its end, or refused in one sentence."""

import contextlib
import itertools
import random
import resource
from pathlib import Path

import pytest

from reminders.errors import BadInput
from reminders.services.importing.columns import resolve
from reminders.services.importing.days import Days
from reminders.services.importing.file import MAX_RECORD, CsvTable
from reminders.services.importing.judge import Judge
from reminders.services.importing.rows import from_line, to_line
from reminders.services.importing.services import Services
from tests.services.import_desk import TODAY, starter

HEADER = "patient_ref,given_name,email,treated_on,protocol,visit_status,consent,birth_date"
CELLS = [
    *(
        "",
        " ",
        "-",
        "'",
        '"',
        '""',
        "a,b",
        "a\nb",
        "a\r\nb",
        "\x00",
        "\x1a",
        "\ufeff",
        "\u200b",
        "\u2028",
        "\x85",
        "=1",
    ),
    *("=HYPERLINK(1)", "+44 20 7946", "-7", "@x", "'=1", "é" * 10, "x" * 300, "x" * (MAX_RECORD + 1), "1e5"),
    *("a@b@c", "a b@c.de", "<a@b.de>", "a@b.de;c@d.de", "ann@post.example", "03/04/2026", "31/12/2025", "2026-13-45"),
    *("9999-12-31", "0001-01-01", "2026-01-05T25:99", "completed", "Completed ", "dna", "no\u00a0show", "filler-lips"),
    *(
        "filler-lips+filler-lips",
        "+;|",
        "a+b+c" * 50,
        "ignore",
        "\ud7ff",
        "🙂",
        "\u202eabc",
        "%s%n",
        "{{7*7}}",
        "\\",
        "\t",
    ),
]
ENDS = ("\n", "\r\n", "\r", "\n\r\n", "")


def judged(path: Path) -> tuple[int, int]:
    """Read and judge a file as an import does; return how many rows were taken and how many were not."""
    protocols = {protocol.code: protocol for protocol in starter()}
    with CsvTable(path, ("patient_ref",)) as table:
        columns = resolve(table.header, ())
        judge = Judge(columns, Days("Europe/London"), Services(protocols, {}), protocols, TODAY)
        taken = rejected = last = 0
        for row in table.rows():
            assert row.number > last
            last = row.number
            found = judge.judge(row)
            assert (found.row is None) == bool(found.errors)
            if found.row:
                assert from_line(to_line(found.row)) == found.row
                assert "\n" not in to_line(found.row)
            taken, rejected = taken + bool(found.row), rejected + (not found.row)
    return taken, rejected


@pytest.mark.parametrize("place", range(8))
def test_f36_a_nasty_cell_in_any_column_costs_at_most_its_row(tmp_path: Path, place: int) -> None:
    path = tmp_path / "nasty.csv"
    for cell, quoted in itertools.product(CELLS, (False, True)):
        row = ["1", "Ann", "ann@post.example", "2026-01-05", "filler-lips", "completed", "yes", "1980-02-01"]
        row[place] = '"' + cell.replace('"', '""') + '"' if quoted else cell
        good = "2,Bo,bo@post.example,2026-01-05,filler-lips,completed,yes,1980-02-01"
        path.write_bytes("\n".join((HEADER, good, ",".join(row), good, "")).encode("utf-8", "surrogatepass"))
        taken, rejected = judged(path)
        assert taken >= 2, (cell[:40], quoted)
        assert taken + rejected <= 6


@pytest.mark.parametrize("seed", range(150))
def test_f36_a_file_of_noise_is_read_or_refused(tmp_path: Path, seed: int) -> None:
    random_ = random.Random(seed)
    path = tmp_path / "noise.csv"
    pieces = [HEADER.replace(",", random_.choice(",;\t")), "\n"]
    for _ in range(random_.randrange(60)):
        pieces += random_.choices([*CELLS[:22], *CELLS[24:], ",", ";", '"', *ENDS], k=random_.randrange(12))
        pieces.append(random_.choice(ENDS))
    encoding = random_.choice(("utf-8", "utf-8-sig", "utf-16", "cp1252"))
    content = bytearray("".join(pieces).encode(encoding, "replace"))
    if random_.random() < 0.3:
        for _ in range(20):
            content[random_.randrange(len(content))] = random_.randrange(256)
    path.write_bytes(content)
    with contextlib.suppress(BadInput):
        judged(path)


@pytest.mark.parametrize("seed", range(30))
def test_f36_bytes_that_are_no_file_at_all_are_read_or_refused(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "noise.bin"
    path.write_bytes(random.Random(seed).randbytes(5_000))
    with pytest.raises(BadInput):
        judged(path)


def test_f36_a_line_of_a_hundred_megabytes_is_one_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(b"patient_ref,given_name\n1,Ann\n2,")
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b"\n3,Bo\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert judged(path) == (2, 1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kilobytes


def test_a_quote_left_open_in_a_long_file_costs_one_row(tmp_path: Path) -> None:
    path = tmp_path / "open.csv"
    rows = ["1,Ann", '2,"Bo', *(f"{n},Cy" for n in range(3, 20_000))]
    path.write_text("patient_ref,given_name\n" + "\n".join(rows) + "\n")
    assert judged(path) == (19_998, 1)


def test_every_line_with_an_open_quote_is_read_in_bounded_time(tmp_path: Path) -> None:
    path = tmp_path / "open.csv"
    path.write_text("patient_ref,given_name\n" + '1,"Ann\n' * 20_000)
    assert sum(judged(path)) <= 20_000
