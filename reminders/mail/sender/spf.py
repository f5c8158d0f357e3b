"""Reads and evaluates SPF records (RFC 7208): what stands in them, what they cost, whom they let send.

Invariants: no more questions are asked than the standard lets a receiver ask (10 look-ups, 2 of them void), so a
hostile record costs no more than an honest one; a macro is never guessed at, what depends on it cannot be told.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from reminders.mail.sender.name_service import Address, Answer, Fault, NameService, Value, printable

MOST_LOOKUPS = 10
MOST_VOIDS = 2
MOST_EXCHANGES = 10
MOST_TERMS = 200
_VERSION = re.compile(r"v=spf1(?: |$)", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)")
_MECHANISM = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)((?:[:/].*)?)", re.IGNORECASE)
_HOSTS = re.compile(r"(?::([^/]+))?(?:/(\d{1,3}))?(?://(\d{1,3}))?")
_ASKING = {"include", "a", "mx", "ptr", "exists"}
_WIDTHS = {4: 32, 6: 128}
_NARROWEST_OPEN = {4: 5, 6: 8}
"""A network wider than that lets in whole regions of the world: no clinic's mail server is meant."""


class Result(StrEnum):
    """What a record says of one address; `UNTOLD` where a macro, a silent server or an error decides."""

    PASS = "pass"  # noqa: S105 - the standard's word
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    UNTOLD = "untold"


_RESULTS = {"+": Result.PASS, "-": Result.FAIL, "~": Result.SOFTFAIL, "?": Result.NEUTRAL}


@dataclass(frozen=True, slots=True)
class Term:
    """One mechanism; `network` is that of ip4 and ip6, `widths` are those of a and mx by version."""

    result: Result
    name: str
    domain: str = ""
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None
    widths: Mapping[int, int] = field(default_factory=lambda: _WIDTHS)


@dataclass(frozen=True, slots=True)
class Record:
    """A record that was read; `problems` are what makes receivers refuse all of it."""

    terms: tuple[Term, ...]
    redirect: str | None
    problems: tuple[str, ...]

    @property
    def ends(self) -> Result | None:
        """Return what it says of everybody else; None where it leaves that open."""
        return next((term.result for term in self.terms if term.name == "all"), None)


@dataclass(frozen=True, slots=True)
class SpfReport:
    """A domain's record under examination; `records` counts them, `results` are by the addresses asked about."""

    records: tuple[str, ...]
    fault: Fault | None
    ends: Result | None = None
    redirected: bool = False
    lookups: int = 0
    voids: int = 0
    open_to_all: bool = False
    problems: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    results: Mapping[Address, Result] = field(default_factory=dict)


def examine_spf(names: NameService, domain: str, addresses: Sequence[Address] = ()) -> SpfReport:
    """Return what the SPF record of `domain` is, costs, and says of `addresses`."""
    answer = names.texts(domain)
    records = spf_records(answer)
    if answer.unknown or len(records) != 1:
        return SpfReport(records, answer.fault)
    record, walk = read_record(records[0]), _Walk(names, tuple(addresses))
    results = walk.through(domain, record, ())
    return SpfReport(
        records=records,
        fault=None,
        ends=record.ends,
        redirected=record.redirect is not None,
        lookups=walk.lookups,
        voids=walk.voids,
        open_to_all=walk.open_to_all,
        problems=tuple(dict.fromkeys(walk.problems)),
        doubts=tuple(dict.fromkeys(walk.doubts)),
        results=results,
    )


def spf_records(answer: Answer[str]) -> tuple[str, ...]:
    """Return those of a name's TXT records that are SPF records."""
    return tuple(text for text in answer.values if _VERSION.match(text))


def read_record(text: str) -> Record:
    """Return the record in `text`, with every problem in it; unknown modifiers are passed over (RFC 7208 6)."""
    terms: list[Term] = []
    modifiers: dict[str, str] = {}
    problems: list[str] = []
    words = text.split(" ")[1:]
    if len(words) > MOST_TERMS or not text.isascii():
        return Record((), None, ("it is no honest record: too long, or not in ASCII",))
    for word in filter(None, words):
        modifier = _MODIFIER.fullmatch(word)
        if modifier is None:
            term = _term(word)
            if term is None:
                problems.append(f"'{printable(word)}' is no mechanism")
            else:
                terms.append(term)
        elif modifier[1].lower() in modifiers and modifier[1].lower() in ("redirect", "exp"):
            problems.append(f"{modifier[1].lower()}= stands in it twice")
        else:
            modifiers[modifier[1].lower()] = modifier[2]
    if modifiers.get("redirect") == "":
        problems.append("redirect= names no domain")
    kept = [term.name for term in terms]
    reached = terms[: kept.index("all") + 1] if "all" in kept else terms  # what follows `all` is never tested
    return Record(tuple(reached), None if "all" in kept else modifiers.get("redirect"), tuple(problems))


def _term(word: str) -> Term | None:
    found = _MECHANISM.fullmatch(word)
    if found is None:
        return None
    result, name, rest = _RESULTS[found[1] or "+"], found[2].lower(), found[3]
    if name in ("ip4", "ip6"):
        try:
            network = ipaddress.ip_network(rest.removeprefix(":"), strict=False)
        except ValueError:
            return None
        right = rest.startswith(":") and f"ip{network.version}" == name
        return Term(result, name, network=network) if right else None
    if name in ("a", "mx"):
        return _hosts(result, name, rest)
    domain = rest.removeprefix(":")
    wanted = {"all": rest == "", "ptr": rest == "" or (rest.startswith(":") and bool(domain))}
    right = wanted.get(name, rest.startswith(":") and bool(domain))
    return Term(result, name, domain) if right else None


def _hosts(result: Result, name: str, rest: str) -> Term | None:
    found = _HOSTS.fullmatch(rest)
    if found is None:
        return None
    widths = {4: int(found[2] or _WIDTHS[4]), 6: int(found[3] or _WIDTHS[6])}
    if any(width > _WIDTHS[version] for version, width in widths.items()):
        return None
    return Term(result, name, found[1] or "", widths=widths)


@dataclass(slots=True)
class _Walk:
    """One evaluation of a record and all it includes, counting what receivers count."""

    names: NameService
    addresses: tuple[Address, ...]
    lookups: int = 0
    voids: int = 0
    open_to_all: bool = False
    problems: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def through(self, domain: str, record: Record, path: tuple[str, ...]) -> dict[Address, Result]:
        """Return what the record of `domain` says of each address; every term is looked at, so that all is counted."""
        decided: dict[Address, Result] = {}
        path = (*path, domain.lower())
        self.problems += record.problems
        for term in record.terms:
            matched = self._matched(term, term.domain or domain, path)
            for address in self.addresses:
                if matched.get(address) is not None:
                    decided.setdefault(address, term.result if matched[address] else Result.UNTOLD)
        if record.redirect is not None:
            beyond = self._beyond("redirect=", record.redirect, path)
            for address in self.addresses:
                decided.setdefault(address, beyond.get(address, Result.UNTOLD))
        return {address: decided.get(address, Result.NEUTRAL) for address in self.addresses}

    def _matched(self, term: Term, domain: str, path: tuple[str, ...]) -> dict[Address, bool | None]:
        """Return for each address: True matched, False cannot be told, None (or absent) not matched."""
        if term.name == "all":
            self.open_to_all |= term.result is Result.PASS
            return dict.fromkeys(self.addresses, True)
        if term.network is not None:
            narrow = term.network.prefixlen >= _NARROWEST_OPEN[term.network.version]
            self.open_to_all |= term.result is Result.PASS and not narrow
            return {address: True for address in self.addresses if address in term.network}
        if term.name in _ASKING and not self._count():
            return dict.fromkeys(self.addresses, False)
        if "%" in domain or term.name == "ptr":
            self.doubts.append("a macro" if "%" in domain else "ptr, which no record should use")
            return dict.fromkeys(self.addresses, False)
        if term.name == "include":
            inner = self._beyond("include:", domain, path, counted=True)
            told = {Result.PASS: True, Result.UNTOLD: False}
            return {address: told.get(inner.get(address, Result.UNTOLD)) for address in self.addresses}
        if term.name == "exists":
            known = self._known(domain)
            return dict.fromkeys(self.addresses, None if known.missing else not known.unknown)
        return self._hosts_match(term, domain)

    def _hosts_match(self, term: Term, domain: str) -> dict[Address, bool | None]:
        hosts = [domain]
        if term.name == "mx":
            exchanges = self.names.exchanges(domain)
            self._void(domain, exchanges)
            if exchanges.unknown:
                return dict.fromkeys(self.addresses, False)
            hosts = [one.host for one in exchanges.values if one.host]
            if len(hosts) > MOST_EXCHANGES:
                self.problems.append(f"mx of {printable(domain)} has more than {MOST_EXCHANGES} hosts")
                return {}
            answers = [self.names.addresses(host) for host in hosts] if self.addresses else []
        else:
            answers = [self._known(domain)]
        found: dict[Address, bool | None] = {}
        for address in self.addresses:
            width = term.widths[address.version]
            if any(_near(address, other, width) for answer in answers for other in answer.values):
                found[address] = True
            elif any(answer.unknown for answer in answers):
                found[address] = False
        return found

    def _beyond(self, how: str, domain: str, path: tuple[str, ...], *, counted: bool = False) -> dict[Address, Result]:
        """Go on with the record of another domain; without one, receivers refuse the whole."""
        if not counted and not self._count():
            return {}
        if "%" in domain:
            self.doubts.append("a macro")
            return {}
        if domain.lower() in path:
            self.problems.append(f"{how}{printable(domain)} leads back to itself")
            return {}
        answer = self.names.texts(domain)
        self._void(domain, answer)
        if answer.unknown:
            return {}
        records = spf_records(answer)
        if len(records) != 1:
            number = "no SPF record" if not records else "several SPF records"
            self.problems.append(f"{how}{printable(domain)} leads to {number}")
            return {}
        return self.through(domain, read_record(records[0]), path)

    def _known(self, domain: str) -> Answer[Address]:
        answer = self.names.addresses(domain)
        self._void(domain, answer)
        return answer

    def _count(self) -> bool:
        """Count a look-up; false once there were too many, and nothing more is asked."""
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            self.problems.append(f"it needs more than {MOST_LOOKUPS} look-ups")
        return self.lookups <= MOST_LOOKUPS

    def _void(self, domain: str, answer: Answer[Value]) -> None:
        if answer.unknown:
            self.doubts.append(f"{printable(domain)} ({answer.fault})")
        elif answer.missing:
            self.voids += 1
            if self.voids > MOST_VOIDS:
                self.problems.append(f"more than {MOST_VOIDS} of its look-ups lead nowhere")


def _near(address: Address, other: Address, width: int) -> bool:
    """Tell whether two addresses share their first `width` bits."""
    if address.version != other.version:
        return False
    return address in ipaddress.ip_network(f"{other}/{width}", strict=False)
