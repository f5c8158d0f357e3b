"""One connection to a mail server whose every wait ends: lines out, replies in, nothing about mail.

Invariant: no call lasts longer than the seconds it was given, nor past the limit of the whole, however slowly the other
side drips its bytes; and a reply is whole and well formed, or `SenselessReply`. (The timeout of smtplib's own socket
starts anew with every byte, and its reader takes any three digits: hence our own below it.) The socket never blocks but
where something is waited for: what has arrived, or has room, costs one call to the system and not three.
"""

import contextlib
import re
import socket
import ssl
import time
from collections.abc import Iterator
from typing import NamedTuple

_LONGEST_REPLY = 64 * 1024  # bytes in all; RFC 5321 4.5.3.1.5 allows 512 a line
_LONGEST_LINE = 4 * 1024
_CHUNK = 64 * 1024
_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])([^\r\n]*))?")
_NOTHING_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class SenselessReply(Exception):
    """What came back is no SMTP reply, or came unasked."""


class Reply(NamedTuple):
    """A server's reply: its code, and the texts of its lines with a line feed between them, as smtplib has them."""

    code: int
    text: bytes

    @property
    def first_line(self) -> str:
        """The first line's text, with a mark for whatever is not ASCII."""
        return self.text.partition(b"\n")[0].decode("ascii", errors="replace")


class Wire:
    """A connected socket. Its calls raise `TimeoutError`, another `OSError` when it is broken, or `SenselessReply`."""

    def __init__(self, sock: socket.socket, limit: float) -> None:
        """Take over a connected socket for at most `limit` seconds."""
        sock.settimeout(0)
        self._socket = sock
        self._unread = bytearray()
        self._limit = self._turn = time.monotonic() + limit

    def limit(self, seconds: float) -> None:
        """From now on, everything together may take `seconds`."""
        self._limit = time.monotonic() + seconds

    def ask(self, command: bytes, seconds: float) -> None:
        """Write a command, or a group of them, line ends and all; it and the next `reply` may take `seconds`."""
        self._turn = self._until(seconds)
        if self._unread:
            raise SenselessReply  # else every later reply would be taken for that of the command before it
        self._write(command, self._turn)

    def reply(self, seconds: float | None = None) -> Reply:
        """Return the next reply, whole, within `seconds`; without them, within what `ask` has left."""
        return self._read(self._turn if seconds is None else self._until(seconds))

    def write(self, content: bytes) -> None:
        """Write all of `content` within what is left of the limit."""
        self._write(content, self._limit)

    def write_once(self, content: bytes, seconds: float) -> int:
        """Hand `content` to the machine's network in one call; return how much of it was taken.

        When this raises, nothing was taken: the other side cannot have got all of `content`.
        """
        return self._send(content, self._until(seconds))

    @property
    def holds_more(self) -> bool:
        """Whether more has been taken in than was read."""
        return bool(self._unread)

    def spoke_unasked(self) -> bool:
        """Tell whether the other side has written something, or has gone, while it was our turn. Does not wait."""
        return bool(self._unread) or self._receive() is not None

    def answered(self) -> bool:
        """Take in what has arrived; true when `reply` would not wait, be it for good news or bad. Does not wait."""
        while not self._settled():
            received = self._receive()
            if received is None:
                return self._limit <= time.monotonic()
            if not received:
                return True
        return True

    def descriptor(self) -> int:
        """Return what the system knows the connection by."""
        return self._socket.fileno()

    def secure(self, context: ssl.SSLContext, host: str, seconds: float) -> None:
        """Go on over TLS, verified for `host`; what came in the clear before is refused, not carried over.

        Bytes that were slipped in between the reply to STARTTLS and the handshake would otherwise count as the
        server's first words under TLS.
        """
        if self._unread:
            raise SenselessReply
        self._socket.settimeout(_left(self._until(seconds)))  # the handshake as a whole keeps to it, byte drip or not
        try:
            safe = context.wrap_socket(self._socket, server_hostname=host)
        except OSError as error:
            kind = type(error)
        else:
            safe.settimeout(0)
            self._socket = safe
            if safe.version() is not None:
                return
            kind = ConnectionResetError  # it had gone: Python then wraps it without a handshake, in the clear
        raise kind  # anew, since the first one's frames would hold the socket open

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it was gone before
        finally:
            self._socket.close()

    def _until(self, seconds: float) -> float:
        return min(time.monotonic() + seconds, self._limit)

    def _write(self, content: bytes, until: float) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[self._send(rest[:_CHUNK], until) :]

    def _send(self, content: bytes | memoryview, until: float) -> int:
        left = _left(until)
        try:
            return self._socket.send(content)
        except _NOTHING_YET:
            with self._waiting(left):
                return self._socket.send(content)

    def _read(self, until: float) -> Reply:
        code, lines = b"", list[bytes]()
        while True:
            line = _LINE.fullmatch(self._line(until))
            if line is None or (code and code != line[1]) or len(lines) * 4 > _LONGEST_REPLY:
                raise SenselessReply
            code = line[1]
            lines.append((line[3] or b"").strip())
            if line[2] != b"-":
                return Reply(int(code), b"\n".join(lines))

    def _line(self, until: float) -> bytes:
        while (end := self._unread.find(b"\n")) < 0:
            if len(self._unread) > _LONGEST_LINE:
                raise SenselessReply
            self._unread += self._more(until)
        line = bytes(self._unread[:end]).removesuffix(b"\r")
        del self._unread[: end + 1]
        return line

    def _more(self, until: float) -> bytes:
        """Return what comes next; when the time is up, what came meanwhile.

        A machine that slept past its limit may long have its answer, and one that is not read is one in doubt.
        """
        try:
            received = self._socket.recv(_CHUNK)
        except _NOTHING_YET:
            with self._waiting(_left(until)):
                received = self._socket.recv(_CHUNK)
        if not received:
            raise ConnectionResetError
        return received

    @contextlib.contextmanager
    def _waiting(self, seconds: float) -> Iterator[None]:
        """Let one call wait so long for the other side."""
        self._socket.settimeout(seconds)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # it was closed meanwhile
                self._socket.settimeout(0)

    def _receive(self) -> bytes | None:
        """Return what has arrived (empty: the other side has gone), or `None` where nothing has."""
        try:
            received = self._socket.recv(_CHUNK)
        except _NOTHING_YET:
            return None
        except OSError:
            return b""
        self._unread += received
        return received

    def _settled(self) -> bool:
        """Tell whether a last line, a senseless one, or more than any reply has arrived."""
        if len(self._unread) > _LONGEST_REPLY:
            return True
        *lines, rest = self._unread.split(b"\n")
        return len(rest) > _LONGEST_LINE or any(line[3:4] != b"-" for line in lines)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
