"""A name server for tests, on this machine: it answers from a zone, or behaves as badly as a test wants.

Both UDP and TCP, on one port of 127.0.0.1, in threads that stop with the `with` block. What is not in the zone does not
exist (NXDOMAIN); a name that exists only with another type has no such entry.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from reminders.mail.sender.name_service import NameService


class Rude(Enum):
    """What the server does instead of answering."""

    SERVFAIL = auto()
    REFUSED = auto()
    SILENT = auto()
    GARBAGE = auto()
    WRONG_QUESTION = auto()
    ALWAYS_TRUNCATED = auto()
    CNAME_LOOP = auto()


Records = Sequence[str] | Rude
Zone = Mapping[tuple[str, str], Records]


def text(value: str | bytes) -> str:
    """Return a TXT record's data in a zone file's form, in strings of 255 octets."""
    raw = value.encode() if isinstance(value, str) else value
    pieces = [raw[start : start + 255] for start in range(0, max(len(raw), 1), 255)]
    return " ".join('"' + "".join(f"\\{octet:03d}" for octet in piece) + '"' for piece in pieces)


class NameServer:
    """Answers from `zone`, which a test may change at any time; `asked` are (name, type) in their order."""

    def __init__(self, zone: Zone | None = None) -> None:
        self.zone: dict[tuple[str, str], Records] = dict(zone or {})
        self.asked: list[tuple[str, str]] = []
        self.over_tcp = 0
        self._stopped = threading.Event()
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._tcp.getsockname()[1])
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._serve_udp, self._serve_tcp)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as knock:
            knock.sendto(b"", ("127.0.0.1", self.port))
        with contextlib.suppress(OSError):
            self._tcp.shutdown(socket.SHUT_RDWR)
        self._tcp.close()
        for thread in self._threads:
            thread.join(timeout=10)
        self._udp.close()

    def txt(self, name: str, *values: str | bytes) -> None:
        """Let a name have these TXT records."""
        self.zone[(name, "TXT")] = [text(value) for value in values]

    def names(self, query_seconds: float = 2.0, examination_seconds: float = 10.0) -> NameService:
        """Return the product's own way to ask this server."""
        return NameService(
            [("127.0.0.1", self.port)], query_seconds=query_seconds, examination_seconds=examination_seconds
        )

    def _serve_udp(self) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(OSError):
                wire, peer = self._udp.recvfrom(4096)
                answer = self._answer(wire, limit=1232) if wire else None
                if answer is not None:
                    self._udp.sendto(answer, peer)

    def _serve_tcp(self) -> None:
        while not self._stopped.is_set():
            try:
                peer, _ = self._tcp.accept()
            except OSError:
                return
            with peer, contextlib.suppress(OSError, struct.error):
                peer.settimeout(5)
                (length,) = struct.unpack("!H", peer.recv(2))
                self.over_tcp += 1
                answer = self._answer(peer.recv(length), limit=65535)
                if answer is not None:
                    peer.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, wire: bytes, limit: int) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        response = dns.message.make_response(query)
        found = self.zone.get((name, kind))
        if isinstance(found, Rude):
            return self._rude(found, query, response, limit)
        if found:
            response.answer.append(dns.rrset.from_text(question.name, 300, "IN", kind, *found))
        elif not any(known == name or known.endswith(f".{name}") for known, _ in self.zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return _bounded(response, limit)

    def _rude(self, how: Rude, query: dns.message.Message, response: dns.message.Message, limit: int) -> bytes | None:
        if how is Rude.SILENT:
            return None
        if how is Rude.GARBAGE:
            return query.id.to_bytes(2, "big") + b"\xff" * 40
        if how in (Rude.SERVFAIL, Rude.REFUSED):
            response.set_rcode(dns.rcode.SERVFAIL if how is Rude.SERVFAIL else dns.rcode.REFUSED)
        elif how is Rude.ALWAYS_TRUNCATED:
            response.flags |= dns.flags.TC
        elif how is Rude.WRONG_QUESTION:
            response.question[0].name = dns.name.from_text("another.clinic.")
        else:
            asked, other = query.question[0].name, dns.name.from_text("loop.clinic.")
            response.answer.append(dns.rrset.from_text(asked, 300, "IN", "CNAME", other.to_text()))
            response.answer.append(dns.rrset.from_text(other, 300, "IN", "CNAME", asked.to_text()))
        return _bounded(response, limit)


def _bounded(response: dns.message.Message, limit: int) -> bytes:
    """Return the answer, or with more than `limit` octets an empty one that asks to come again over TCP."""
    whole = response.to_wire(max_size=65535)
    if len(whole) <= limit:
        return whole
    response.answer.clear()
    response.flags |= dns.flags.TC
    return response.to_wire()
