"""Messages are kept against what they have in common with others, and come back as they were."""

import threading
from typing import Any

import pytest
from sqlalchemy import event, func, select, update

from reminders.store import messages, patterns, schema
from reminders.store.apart import apart
from reminders.store.database import Database, Transaction
from reminders.store.evidence import kept_messages
from reminders.store.faults import DamagedRow
from reminders.store.messages import Blanked, StoredMessage
from reminders.store.packing import LARGEST, Packer, Shelf, Unpackable, unpack
from tests.store.clinic import NOW, a_message, keep, planned
from tests.support.tampering import past_the_rules

PATTERN = b"".join(b"line %d of the form, %x\r\n" % (number, number**9) for number in range(700))
LETTER = PATTERN.replace(b"line 7 ", b"line 7 Odile ").replace(b"line 400 ", b"line 400 https://r.example/p/Ab3-x ")


def _message(tx: Transaction, ref: str = "1001") -> tuple[StoredMessage, list[int]]:
    clinic, patient, reminders = planned(tx, ref)
    name = f"<{ref}@linden.test>"
    message = a_message(tx, (clinic.id, patient.id), name)
    change = update(schema.reminders).where(schema.reminders.c.id == reminders[0])
    tx.connection.execute(change.values(message_pk=message.id))
    return message, reminders


def _keep(tx: Transaction, message: StoredMessage, content: bytes = LETTER, pattern: bytes | None = PATTERN) -> None:
    keep(tx, message.id, content, pattern=pattern)


def _size(tx: Transaction) -> int:
    return int(tx.connection.execute(select(func.length(schema.messages.c.content))).scalar_one())


def _count(tx: Transaction) -> int:
    return int(tx.connection.execute(select(func.count()).select_from(schema.patterns)).scalar_one())


@pytest.mark.parametrize("pattern", [PATTERN, None])
def test_what_is_kept_comes_back(database: Database, pattern: bytes | None) -> None:
    with database.write(NOW, "cli") as tx:
        message, reminders = _message(tx)
        _keep(tx, message, pattern=pattern)
    with database.read(NOW) as tx:
        again = messages.message_to_reuse(tx, reminders)
        assert again is not None
        assert (again.content, again.pattern) == (LETTER, pattern)
        assert [one.content for one in messages.messages_of(tx, 1)] == [LETTER]
        assert (_size(tx) < 200) is (pattern is not None)
        assert _size(tx) < len(LETTER)


def test_what_was_kept_before_messages_were_packed_is_read_as_it_is(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        message, reminders = _message(tx)
        tx.connection.execute(update(schema.messages).values(content=LETTER, fingerprint="print"))
    with database.write(NOW, "cli") as tx:
        again = messages.message_to_reuse(tx, reminders)
        assert again is not None
        assert (again.content, again.pattern) == (LETTER, None)
        messages.blank_contents(tx, [Blanked(message.id, b"blank", None)])
    with database.read(NOW) as tx:
        assert [one.content for one in messages.messages_of(tx, 1)] == [b"blank"]


def test_a_pattern_is_kept_once_and_asked_for_once(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        first = patterns.pattern_id(tx, PATTERN)
        assert patterns.pattern_id(tx, bytes(bytearray(PATTERN))) == first
    with database.write(NOW, "cli") as tx:
        statements: list[str] = []
        event.listen(tx.connection, "before_cursor_execute", lambda *said: statements.append(said[2]))
        assert patterns.pattern_id(tx, PATTERN) == first
        assert statements == []
        assert _count(tx) == 1
    again = Database(database.address)
    with again.write(NOW, "cli") as tx:
        assert patterns.pattern_id(tx, PATTERN) == first
    again.close()


def _fail_after_it(tx: Transaction) -> None:
    patterns.pattern_id(tx, PATTERN)
    raise DamagedRow(table="patients")


def test_a_pattern_that_was_undone_is_not_remembered(database: Database) -> None:
    with pytest.raises(DamagedRow), database.write(NOW, "cli") as tx:
        _fail_after_it(tx)
    with database.write(NOW, "cli") as tx:
        with pytest.raises(DamagedRow), apart(tx):
            _fail_after_it(tx)
        other = patterns.pattern_id(tx, b"another pattern")
        message, _ = _message(tx)
        _keep(tx, message)
        assert patterns.pattern_id(tx, PATTERN) != other
    with database.read(NOW) as tx:
        assert [one.content for one in messages.messages_of(tx, 1)] == [LETTER]


def test_two_workers_that_meet_a_pattern_at_once_keep_it_once(database: Database) -> None:
    """On PostgreSQL both write alongside each other; on SQLite one waits for the other."""
    found: list[int] = []
    other = Database(database.address, lease_clock=lambda _: NOW)

    def second() -> None:
        with other.write(NOW, "deliver", alongside=True) as tx:
            patterns.make_ready(tx, [b"b" * 300, None, PATTERN])
            found.append(patterns.pattern_id(tx, PATTERN))

    worker = threading.Thread(target=second)
    with database.write(NOW, "deliver", alongside=True) as tx:
        patterns.make_ready(tx, [PATTERN, b"b" * 300])
        worker.start()
        found.append(patterns.pattern_id(tx, PATTERN))
    worker.join(20)
    other.close()
    assert len(found) == 2
    assert found[0] == found[1]
    with database.read(NOW) as tx:
        assert _count(tx) == 2


OTHER_DIGEST = "UPDATE patterns SET digest = 'x'"
DAMAGE: dict[str, Any] = {
    "bytes turned": lambda content: content[:20] + bytes([content[20] ^ 64]) + content[21:],
    "cut short": lambda content: content[:-3],
    "empty": lambda _: b"",
    "no frame": lambda _: b"Dear Odile",
    "a size beyond all measure": lambda _: bytes.fromhex("28b52ffd a0 ffffff7f".replace(" ", "")),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_damaged_bytes_are_a_damaged_row_and_stop_nobody_else(database: Database, how: str) -> None:
    with database.write(NOW, "cli") as tx:
        message, reminders = _message(tx)
        _keep(tx, message)
        gone = update(schema.reminders).where(schema.reminders.c.id == reminders[0])
        tx.connection.execute(gone.values(state="sent", sent_at=NOW))
        content = tx.connection.execute(select(schema.messages.c.content)).scalar_one()
        tx.connection.execute(update(schema.messages).values(content=DAMAGE[how](content)))
    with database.read(NOW) as tx:
        assert messages.spent(tx, reminders) == []
        assert [kept.content for kept in kept_messages(tx, [1])] == [DAMAGE[how](content)]
        with pytest.raises(DamagedRow, match="messages"):
            messages.messages_of(tx, 1)


@pytest.mark.parametrize("change", ["DELETE FROM patterns", "UPDATE patterns SET content = x'00'", OTHER_DIGEST])
def test_a_pattern_that_is_gone_or_damaged_is_a_damaged_row(database: Database, change: str) -> None:
    with database.write(NOW, "cli") as tx:
        message, reminders = _message(tx)
        _keep(tx, message)
    past_the_rules(database, [change])
    afresh = Database(database.address)
    with afresh.read(NOW) as tx, pytest.raises(DamagedRow, match="patterns"):
        messages.message_to_reuse(tx, reminders)
    afresh.close()


def test_bytes_packed_against_another_pattern_do_not_come_back_as_something_else() -> None:
    packed = Packer().pack(LETTER, PATTERN)
    for wrong in (None, PATTERN[::-1], PATTERN.replace(b"line 9 ", b"LINE 9 ")):
        with pytest.raises(Unpackable):
            unpack(packed, wrong)
    with pytest.raises(Unpackable):
        unpack(Packer().pack(b"\0" * (LARGEST + 1), None), None)


def test_a_text_where_bytes_should_be_is_a_damaged_row(database: Database, sqlite_url: str) -> None:
    """PostgreSQL's columns of bytes hold nothing else."""
    assert database.address == sqlite_url
    with database.write(NOW, "cli") as tx:
        message, reminders = _message(tx)
        _keep(tx, message)
    past_the_rules(database, ["UPDATE messages SET content = 'Dear Odile'"])
    with database.read(NOW) as tx, pytest.raises(DamagedRow):
        messages.message_to_reuse(tx, reminders)


def test_only_so_much_is_remembered() -> None:
    shelf = Shelf()
    for number in range(5000):
        shelf.learn({b"%d" % number: number})
        shelf.put(number, b"%d" % number)
        if number % 20 == 0:
            assert unpack(shelf.packer.pack(LETTER, b"%d" % number * 30), b"%d" % number * 30) == LETTER
    assert len(shelf.ids) <= 1024
    assert len(shelf.contents) <= 128
