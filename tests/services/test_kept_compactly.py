"""Messages of a form are kept in a few hundred bytes, and what is kept is what went out without its tokens."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select

from reminders.mail.compose import blank_tokens
from reminders.services.erase import erase
from reminders.store import schema
from reminders.store.database import file_paths, rewrite_files
from tests.services.test_signing import activated, delivered, made
from tests.support.clinic import INVITED_AT, Office, to
from tests.support.kept import kept_bytes
from tests.support.smtp_server import RealServer
from tests.support.tampering import on_postgresql

NAMES = ("Odile", "Bertram", "Wilhelmina", "José")


def _with_patients(office: Office) -> None:
    for number, name in enumerate(NAMES):
        ref = f"P{number + 2}"
        office.add_patient(ref, given_name=name, email=f"box{number}@home.example")
        office.treat(ref)
    office.clock.set(INVITED_AT)


def _without_ends(contents: list[bytes]) -> list[bytes]:
    return sorted(content.rstrip() for content in contents)


def test_from_the_third_message_of_a_form_on_little_is_kept(office: Office, server: RealServer) -> None:
    _with_patients(office)
    assert office.deliver(to(server)).sent == 5
    with office.read() as tx:
        m = schema.messages.c
        rows = tx.connection.execute(select(m.content, m.pattern_id, m.packed).order_by(m.id)).all()
        kept = kept_bytes(tx)
    assert all(row.packed for row in rows)
    assert Counter(row.pattern_id is None for row in rows) == {True: 3, False: 2}  # Ada1's name holds a figure
    assert all(len(row.content) < (8_000 if row.pattern_id is None else 900) for row in rows)
    assert _without_ends(kept) == _without_ends([blank_tokens(one.content) for one in server.messages])


def test_a_signed_message_is_kept_as_it_went_without_its_tokens(office: Office, server: RealServer) -> None:
    made(office)
    activated(office)
    _with_patients(office)
    assert delivered(office, server).sent == 5
    with office.read() as tx:
        kept = kept_bytes(tx)
    assert all(one.startswith(b"DKIM-Signature: ") for one in kept)
    assert _without_ends(kept) == _without_ends([blank_tokens(one.content) for one in server.messages])


def test_a_message_of_a_form_that_was_put_off_goes_again_as_it_was(office: Office, server: RealServer) -> None:
    _with_patients(office)
    server.script["DOT"] += ["451 4.3.0 not now"] * 5
    office.deliver(to(server))
    with office.read() as tx:
        before = kept_bytes(tx)
    office.clock.advance(minutes=10)
    assert office.deliver(to(server)).sent == 5
    assert _without_ends([one.content for one in server.messages]) == _without_ends(before)
    with office.read() as tx:
        assert _without_ends(kept_bytes(tx)) == _without_ends([blank_tokens(one) for one in before])


def _found(office: Office, what: Sequence[str | bytes]) -> list[str | bytes]:
    files = b"".join(path.read_bytes() for path in file_paths(office.database.address) if path.exists())
    return [one for one in what if (one.encode() if isinstance(one, str) else one) in files]


def test_nothing_of_an_erased_patient_is_left_in_the_files(office: Office, server: RealServer) -> None:
    """A pattern stays, and it was never anybody's. On PostgreSQL, see what `erase` says of its files."""
    if on_postgresql(office.database):
        return
    _with_patients(office)
    office.deliver(to(server))
    with office.read() as tx:
        rows = tx.connection.execute(select(schema.messages.c.content).order_by(schema.messages.c.id)).scalars().all()
    assert _found(office, NAMES) == list(NAMES)
    for number in range(len(NAMES)):
        erase(office.database, office.clock, "riverside", f"P{number + 2}")
    assert rewrite_files(office.database)
    assert _found(office, [*NAMES, "box1@home", "box3@home", *(content[-40:] for content in rows[1:])]) == []
    with office.read() as tx:
        assert len(tx.connection.execute(select(schema.patterns.c.id)).all()) == 1
