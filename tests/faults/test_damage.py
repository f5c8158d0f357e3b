"""Damaged files and rows: nothing is sent from what cannot be trusted, and whoever asks gets a sentence.

Every copy is damaged in one of seven ways, drawn from a seed; none of them may end in a traceback, in a message sent a
second time, or in a fresh, empty database where the old one was.
"""

import contextlib
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from reminders.errors import RemindersError
from reminders.services.audit import audit
from reminders.services.checkup.check import Examined
from reminders.services.checkup.store import database_checks
from reminders.settings import Settings
from reminders.store.database import check_ready, create_or_upgrade, quick_check
from reminders.store.facts import facts
from reminders.store.faults import DamagedRow, DatabaseCorrupt
from tests.acceptance.grounds import ALWAYS_OPEN
from tests.support.clinic import INVITED_AT, FakeClock, Office
from tests.support.post import Post

PAGE = 4096


def flip_bytes(path: Path, chance: random.Random) -> None:
    """Change some bytes anywhere."""
    content = bytearray(path.read_bytes())
    for _ in range(chance.randint(1, 64)):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def cut_short(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(1, len(content))])


def zero_a_page(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    start = PAGE * chance.randrange(len(content) // PAGE)
    content[start : start + PAGE] = bytes(PAGE)
    path.write_bytes(content)


def swap_two_pages(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    one, other = (PAGE * number for number in chance.sample(range(1, len(content) // PAGE), 2))
    content[one : one + PAGE], content[other : other + PAGE] = content[other : other + PAGE], content[one : one + PAGE]
    path.write_bytes(content)


def lay_a_strange_log_beside(path: Path, chance: random.Random) -> None:
    path.with_name(f"{path.name}-wal").write_bytes(chance.randbytes(chance.randint(1, 3 * PAGE)))


def lose_the_beginning(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(bytes(chance.randint(1, 100)) + content[100:])


def put_something_else_there(path: Path, chance: random.Random) -> None:
    path.write_bytes(chance.choice([b"", b"name,email\n", chance.randbytes(5000)]))


WAYS: tuple[Callable[[Path, random.Random], None], ...] = (
    flip_bytes,
    cut_short,
    zero_a_page,
    swap_two_pages,
    lay_a_strange_log_beside,
    lose_the_beginning,
    put_something_else_there,
)


@pytest.fixture(scope="module")
def with_life_in_it(installed_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which some messages were sent and others are due."""
    path = Path(shutil.copy(installed_file, tmp_path_factory.mktemp("sound") / "reminders.db"))
    with contextlib.closing(Office(f"sqlite:///{path}", FakeClock())) as office:
        office.add_clinic(**ALWAYS_OPEN)
        office.add_due(4)
        office.clock.set(INVITED_AT)
        office.deliver(Post(office.clock.now))
        office.clock.set(FakeClock().now())
        office.add_due(4, prefix="N")
    return path


def try_everything(path: Path) -> tuple[Post, set[str]]:
    """Use a database as the commands would; return what was sent, and the names of what was said against it.

    Whatever is not one of the product's own errors passes: it would reach a person as a fault of the program.
    """
    url, said = f"sqlite:///{path}", set()
    clock = FakeClock(INVITED_AT)
    office = Office(url, clock)
    post = Post(clock.now)
    acts: tuple[Callable[[], object], ...] = (
        lambda: check_ready(url),
        lambda: create_or_upgrade(url),
        lambda: office.deliver(post),
        office.rows,
        office.plan,
        lambda: audit(office.database, clock, office.keys),
        lambda: office.erase("N4"),
    )
    with contextlib.closing(office):
        for act in acts:
            try:
                act()
            except RemindersError as error:
                said.add(type(error).__name__)
    return post, said


def suffer(sound: Path, folder: Path, seed: int) -> bool:
    """Damage a copy and use it; return whether anything was said."""
    chance = random.Random(seed)
    path = Path(shutil.copy(sound, folder / "reminders.db"))
    for left in folder.glob("reminders.db-*"):
        left.unlink()
    WAYS[seed % len(WAYS)](path, chance)
    try:
        broken = bool(quick_check(f"sqlite:///{path}"))
    except RemindersError:
        broken = True
    strange = path.read_bytes()
    post, said = try_everything(path)
    receivers = [letter.recipient for letter in post.letters]
    assert len(receivers) == len(set(receivers))
    assert not [receiver for receiver in receivers if receiver.startswith("p")], "sent again"
    if broken:
        assert not receivers
        assert said
    if not strange.startswith(b"SQLite format 3"):
        assert path.read_bytes() == strange, "another database came in its place"
    return bool(said)


def test_f08_damaged_copies_send_nothing_and_are_never_replaced_by_an_empty_database(
    with_life_in_it: Path, tmp_path: Path
) -> None:
    noticed = [suffer(with_life_in_it, tmp_path, seed) for seed in range(63)]
    assert sum(noticed) > 40


@pytest.mark.storm
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(4))
def test_f08_a_thousand_damaged_copies_send_nothing_and_are_never_replaced(
    with_life_in_it: Path, tmp_path: Path, part: int, record_property: Callable[[str, object], None]
) -> None:
    for seed in range(100 + 250 * part, 350 + 250 * part):
        suffer(with_life_in_it, tmp_path, seed)
    record_property("copies", 250)


def try_to_read(office: Office) -> None:
    """Read every reminder, and the facts of the patients."""
    assert office.rows()
    with office.read() as tx:
        facts(tx, range(1, 9))


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("UPDATE reminders SET state = 'sleeping' WHERE id = 5", "reminders"),
        ("UPDATE patients SET consent = 'perhaps'", "patients"),
        ("UPDATE treatments SET kind = 'magic'", "treatments"),
        ("UPDATE reminders SET due_at = 'soon'", "reminders"),
    ],
)
def test_f08_a_row_with_an_unknown_code_is_named_and_the_doctor_counts_it(
    with_life_in_it: Path, tmp_path: Path, statement: str, table: str
) -> None:
    path = Path(shutil.copy(with_life_in_it, tmp_path / "reminders.db"))
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    office = Office(f"sqlite:///{path}", FakeClock(INVITED_AT))
    said = f"table {table} .*`reminders doctor`"
    with contextlib.closing(office), pytest.raises(DamagedRow, match=said):
        try_to_read(office)
    examined = Examined(Settings(database_url=f"sqlite:///{path}"), INVITED_AT)
    [check] = [one for one in database_checks(examined) if one.name == "rows"]
    assert check.ok is False
    assert table in check.said
    if examined.database is not None:
        examined.database.close()


def test_f08_damage_is_found_before_anything_is_sent(with_life_in_it: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(with_life_in_it, tmp_path / "reminders.db"))
    zero_a_page(path, random.Random(3))
    post, said = try_everything(path)
    assert post.letters == []
    assert DatabaseCorrupt.__name__ in said
