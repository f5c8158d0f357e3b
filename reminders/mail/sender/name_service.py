"""Asks the name service (DNS) about a sender's domain, within bounds of time and size.

Invariants: what could not be asked is never taken for something that is not there; every question is answered or given
up after two seconds and all of one examination after ten; whatever stands in an answer was written by a stranger, so
it is bounded in number and length, and shown in printable ASCII alone.
"""

import contextlib
import ipaddress
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from reminders.errors import CannotDo

if TYPE_CHECKING:
    from dns.rdata import Rdata
    from dns.resolver import Resolver

QUERY_SECONDS = 2.0
EXAMINATION_SECONDS = 10.0
SILENCES = 3
"""After so many questions in a row without any answer the resolver is taken to be down, and is left alone."""
MOST_RECORDS = 100
LONGEST_RECORD = 8192
LONGEST_SHOWN = 200
DNS_PORT = 53

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Server = tuple[str, int]
Value = TypeVar("Value")
Shown = TypeVar("Shown")


class NoResolver(CannotDo):
    """This machine names no resolver to ask: set REMINDERS_DNS to one, such as 9.9.9.9 or 127.0.0.1:53."""


class Fault(StrEnum):
    """Why a question brought nothing; the first two are answers, the others are none."""

    NO_NAME = "there is no such name"
    NO_ENTRY = "the name has no such entry"
    SILENT = "the resolver does not answer"
    FAILED = "the resolver could not find out"
    UNREADABLE = "the answer makes no sense"
    TOO_LARGE = "the answer is larger than any honest one"
    BAD_NAME = "this can be no name"
    OUT_OF_TIME = "the time for this examination ran out"

    @property
    def certain(self) -> bool:
        """Tell whether this says that there is nothing, and not that nobody could find out."""
        return self in (Fault.NO_NAME, Fault.NO_ENTRY)


@dataclass(frozen=True, slots=True)
class Answer(Generic[Value]):
    """What a question brought: values, or a fault."""

    values: tuple[Value, ...] = ()
    fault: Fault | None = None

    @property
    def missing(self) -> bool:
        """Tell whether it is certain that there is nothing."""
        return self.fault is not None and self.fault.certain

    @property
    def unknown(self) -> bool:
        """Tell whether nobody knows if there is something."""
        return self.fault is not None and not self.missing


@dataclass(frozen=True, slots=True)
class Exchange:
    """Where a domain's mail goes; an empty `host` (RFC 7505, null MX) means that it takes none."""

    preference: int
    host: str


class NameService:
    """One resolver, asked for one examination after the other; `begin` starts the next one's time.

    `servers` are (address, port); none means the machine's own; a question raises `NoResolver` where that names none.
    """

    def __init__(
        self,
        servers: Sequence[Server] = (),
        *,
        query_seconds: float = QUERY_SECONDS,
        examination_seconds: float = EXAMINATION_SECONDS,
    ) -> None:
        """Take the resolver; nothing is opened or asked yet."""
        self._servers = servers
        self._resolver: Resolver | None = None
        self._query_seconds = query_seconds
        self._examination_seconds = examination_seconds
        self._known: dict[tuple[str, str], Answer[Rdata]] = {}
        self._silences = 0
        self.begin()

    def begin(self) -> None:
        """Start the time of an examination; what is known already stays known."""
        self._until = time.monotonic() + self._examination_seconds

    @property
    def down(self) -> bool:
        """Tell whether the resolver has been silent so long that it is not asked any more."""
        return self._silences >= SILENCES

    def texts(self, name: str) -> Answer[str]:
        """Return the TXT records of a name, each joined from its strings, one character per octet."""
        return _each(self._ask(name, "TXT"), lambda record: b"".join(record.strings).decode("latin-1"))  # type: ignore[attr-defined] # of a TXT record

    def exchanges(self, name: str) -> Answer[Exchange]:
        """Return the MX records of a name, the preferred first."""
        found = _each(
            self._ask(name, "MX"),
            lambda record: Exchange(record.preference, record.exchange.to_text(omit_final_dot=True).strip(".")),  # type: ignore[attr-defined] # of an MX record
        )
        return Answer(tuple(sorted(found.values, key=lambda one: (one.preference, one.host))), found.fault)

    def addresses(self, name: str) -> Answer[Address]:
        """Return the addresses of a name, of both kinds; unknown only where neither kind brought one."""
        both = [
            _each(self._ask(name, kind), lambda record: ipaddress.ip_address(record.address))  # type: ignore[attr-defined] # of an A or AAAA record
            for kind in ("A", "AAAA")
        ]
        found = tuple(address for answer in both for address in answer.values)
        if found:
            return Answer(found)
        return next((answer for answer in both if answer.unknown), both[0])

    def _ask(self, name: str, kind: str) -> "Answer[Rdata]":
        key = (name.lower().rstrip("."), kind)
        if key not in self._known:
            left = self._until - time.monotonic()
            if self.down:
                return Answer(fault=Fault.SILENT)
            if left <= 0:
                return Answer(fault=Fault.OUT_OF_TIME)
            self._resolver = self._resolver or _resolver(self._servers)
            answer = _answer(self._resolver, key[0], kind, min(left, self._query_seconds))
            self._silences = self._silences + 1 if answer.fault is Fault.SILENT else 0
            self._known[key] = answer
        return self._known[key]


def printable(text: str) -> str:
    """Return text from an answer as it may be shown: printable ASCII, one line, not long."""
    plain = "".join(mark if " " <= mark <= "~" else "?" for mark in text[: LONGEST_SHOWN + 1])
    return plain if len(plain) <= LONGEST_SHOWN else plain[:LONGEST_SHOWN] + " …"


def _resolver(servers: Sequence[Server]) -> "Resolver":
    from dns.nameserver import Do53Nameserver  # noqa: PLC0415 - a tenth of a second that only an examination needs
    from dns.resolver import NoResolverConfiguration, Resolver  # noqa: PLC0415 - as above

    try:
        made = Resolver(configure=not servers)
    except NoResolverConfiguration:
        raise NoResolver from None
    if servers:
        made.nameservers = [Do53Nameserver(host, port) for host, port in servers]
    if not made.nameservers:
        raise NoResolver
    made.timeout = QUERY_SECONDS / 2  # so that a second server, or a second try, has its turn within a question's time
    return made


def _answer(resolver: "Resolver", name: str, kind: str, seconds: float) -> "Answer[Rdata]":
    """Ask once, whatever comes back; dnspython asks again over TCP where UDP cut the answer off."""
    from dns import exception, flags  # noqa: PLC0415 - as above
    from dns import resolver as asking  # noqa: PLC0415 - as above

    try:
        if not name or any(not "!" <= mark <= "~" or mark == "\\" for mark in name):
            return Answer(fault=Fault.BAD_NAME)
        answer = resolver.resolve(f"{name}.", kind, lifetime=seconds, search=False, raise_on_no_answer=False)
    except asking.NXDOMAIN:
        return Answer(fault=Fault.NO_NAME)
    except (exception.Timeout, OSError):
        return Answer(fault=Fault.SILENT)
    except asking.NoNameservers as error:
        return Answer(fault=_why_none(error))
    except (exception.DNSException, ValueError) as error:  # a label or a name too long, or empty
        bad_name = type(error).__module__ == "dns.name" or isinstance(error, ValueError)
        return Answer(fault=Fault.BAD_NAME if bad_name else Fault.UNREADABLE)
    if answer.response.flags & flags.TC:  # over TCP too: what is there was cut off, and may be missing all the same
        return Answer(fault=Fault.UNREADABLE)
    found = tuple(answer.rrset or ())
    if len(found) > MOST_RECORDS or any(len(one.to_wire() or b"") > LONGEST_RECORD for one in found):
        return Answer(fault=Fault.TOO_LARGE)
    return Answer(found) if found else Answer(fault=Fault.NO_ENTRY)


def _why_none(error: Exception) -> Fault:
    """Return what was wrong when no server was of use: refused or failed by code, out of reach, or senseless."""
    tried = getattr(error, "kwargs", {}).get("errors", ())
    if any(response is not None and response.rcode() for *_, response in tried):
        return Fault.FAILED
    if any(isinstance(cause, OSError) for *_, cause, _ in tried):
        return Fault.SILENT
    return Fault.UNREADABLE


def _each(answer: "Answer[Rdata]", read: "Callable[[Rdata], Shown]") -> Answer[Shown]:
    values = []
    for record in answer.values:
        with contextlib.suppress(ValueError, AttributeError):
            values.append(read(record))
    return Answer(tuple(values), answer.fault)
