"""Connections that ask slowly, are too many, or speak no HTTP: they end, are told so, and fill no log."""

import errno
import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import httpx2
import pytest

from reminders.app import App
from reminders.web.guard import SECURITY
from reminders.web.limits import Limits
from reminders.web.quiet import OneAMinute
from reminders.web.serve import open_door, served
from tests.support.clinic import FakeClock
from tests.support.site import FREE_PLACE

HASTY = Limits(looks=1_000, answers=1_000, one_clicks=1_000, request_s=0.3)
HEAD = (
    b"POST /u/x HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 26\r\n\r\n"
)


@contextmanager
def connected(app: App, limits: Limits = HASTY) -> Iterator[socket.socket]:
    with served(app, FREE_PLACE, limits) as address, closing(connection(address)) as made:
        yield made


def connection(address: str) -> socket.socket:
    url = httpx2.URL(address)
    return socket.create_connection((url.host, url.port or 80), timeout=30)


def host(client: socket.socket) -> bytes:
    return b"127.0.0.1:%d" % client.getpeername()[1]


def the_rest(client: socket.socket) -> bytes:
    """Return what comes until the other side ends the connection, however it does."""
    found = b""
    try:
        while piece := client.recv(65_536):
            found += piece
    except ConnectionResetError:
        pass
    return found


def answer(client: socket.socket) -> bytes:
    """Return one answer, read to the length that it names, and no further."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += client.recv(65_536)
    head, _, body = found.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += client.recv(65_536)
    return head


@pytest.mark.parametrize("begun", [b"", b"G", b"GET /p/x HTTP/1.1\r\nHost: a\r\nX-A: "], ids=["silent", "one", "head"])
def test_a_head_that_does_not_come_ends_the_connection(app: App, begun: bytes) -> None:
    with connected(app) as client:
        client.sendall(begun)
        assert the_rest(client) == b""


def test_a_body_that_does_not_come_ends_the_connection(app: App, caplog: pytest.LogCaptureFixture) -> None:
    with connected(app) as client:
        client.sendall(HEAD % host(client) + b"List-Unsub")
        assert the_rest(client) == b""
    assert caplog.text == ""


def test_a_second_request_has_to_come_in_time_as_well(app: App) -> None:
    with connected(app) as client:
        client.sendall(HEAD % host(client) + b"List-Unsubscribe=One-Click")
        assert answer(client).startswith(b"HTTP/1.1 200")
        client.sendall(b"GET /p/x HTTP/1.1\r\n")
        assert the_rest(client) == b""


def test_a_request_sent_together_with_another_has_to_be_whole_as_well(app: App) -> None:
    with connected(app) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + HEAD % host(client) + b"List")
        assert the_rest(client).count(b"HTTP/1.1 ") == 1


def test_the_rest_of_a_body_that_was_refused_is_not_waited_for(app: App) -> None:
    with connected(app) as client:
        client.sendall(HEAD.replace(b"26", b"99999") % host(client))
        assert answer(client).startswith(b"HTTP/1.1 413")
        assert the_rest(client) == b""


def test_what_is_asked_in_time_is_answered_again_and_again(app: App) -> None:
    with connected(app) as client:
        for _ in range(20):
            request = HEAD % host(client) + b"List-Unsubscribe=One-Click"
            client.sendall(request[:50])
            client.sendall(request[50:])
            assert answer(client).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "said", [b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nHost a\r\n\r\n"]
)
def test_what_is_no_http_is_answered_with_our_headers(app: App, said: bytes) -> None:
    with connected(app) as client:
        client.sendall(said)
        head, _, body = the_rest(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert body == b"This is no request that can be answered.\n"
    for name, value in SECURITY:
        assert f"\r\n{name.lower()}: {value}".encode() in head
    assert b"uvicorn" not in head.lower()


@pytest.mark.parametrize("path", ["/healthz", "/u/x"])
def test_nonsense_after_a_head_ends_the_connection_and_fills_no_log(
    app: App, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    head = HEAD.replace(b"Content-Length: 26", b"Transfer-Encoding: chunked").replace(b"/u/x", path.encode())
    for pause in (False, True):
        with connected(app) as client:
            client.sendall(head % host(client))
            if pause and path == "/healthz":
                assert answer(client).startswith(b"HTTP/1.1 405")
            client.sendall(b"nonsense\r\n" * 3)
            assert the_rest(client).count(b"HTTP/1.1 ") <= 1
    assert caplog.text == ""


def test_beyond_the_bound_there_is_a_refusal_and_machines_are_told_that_we_live(app: App) -> None:
    few = Limits(connections=2, request_s=30)
    with served(app, FREE_PLACE, few) as address, ExitStack() as stack:
        assert httpx2.get(f"{address}/p/x").status_code == 404
        for _ in range(2):
            stack.enter_context(closing(connection(address)))
        found = httpx2.get(f"{address}/p/x")
        assert (found.status_code, found.headers["retry-after"], found.headers["connection"]) == (503, "10", "close")
        assert found.headers["referrer-policy"] == "no-referrer"
        assert httpx2.get(f"{address}/healthz").status_code == 200
        for _ in range(2):
            stack.enter_context(closing(connection(address)))
        dropped = stack.enter_context(closing(connection(address)))
        assert the_rest(dropped) == b""
        stack.close()
        assert httpx2.get(f"{address}/p/x").status_code == 404


def test_what_is_accepted_sends_at_once() -> None:
    with closing(open_door(FREE_PLACE)) as door:
        port = door.getsockname()[1]
        with closing(socket.create_connection(("127.0.0.1", port))), closing(door.accept()[0]) as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_event_loop_may_say_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    log, bound = logging.getLogger("asyncio"), OneAMinute(clock)
    log.addFilter(bound)
    try:
        for _ in range(1_000):
            full = OSError(errno.EMFILE, "Too many open files")
            log.error("socket.accept() out of system resource\nsocket: %s", "127.0.0.1", exc_info=full)
        assert [record.getMessage() for record in caplog.records] == [
            "The pages can take no more connections for now: this process has as many files open as it may."
        ]
        clock.advance(minutes=1)
        log.error("Exception in callback to a-token", exc_info=ValueError("a-token"))
    finally:
        log.removeFilter(bound)
    assert caplog.records[-1].getMessage() == "The pages' event loop met a fault: ValueError."
    assert "Traceback" not in caplog.text
    assert "a-token" not in caplog.text
