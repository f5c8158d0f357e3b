"""A connection to a mail server whose time is up: what came in time is read, and nothing is waited for."""

import select
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from reminders.mail.wire import Wire


@dataclass(frozen=True, slots=True)
class Ends:
    wire: Wire
    near: socket.socket
    far: socket.socket

    def arrives(self, content: bytes) -> None:
        self.far.sendall(content)
        select.select([self.near], [], [])


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A wire whose limit has passed already, as after a machine's sleep, and the server's end of it."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        near = socket.create_connection(door.getsockname())
        far, _ = door.accept()
    with near, far:
        yield Ends(Wire(near, -1.0), near, far)


def test_an_answer_that_came_before_a_machine_woke_is_read(ends: Ends) -> None:
    ends.arrives(b"250 2.0.0 taken\r\n")
    assert ends.wire.answered()
    assert ends.wire.reply(5).code == 250


def test_half_an_answer_is_none_and_is_not_waited_for(ends: Ends) -> None:
    ends.arrives(b"250 2.0")
    with pytest.raises(TimeoutError):
        ends.wire.reply(5)


def test_no_answer_is_not_waited_for(ends: Ends) -> None:
    with pytest.raises(TimeoutError):
        ends.wire.reply(5)


def test_a_server_that_has_gone_is_not_waited_for(ends: Ends) -> None:
    ends.far.close()
    with pytest.raises(ConnectionResetError):
        ends.wire.reply(5)
