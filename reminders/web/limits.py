"""Counts what each client address asks for and says when it is too much; and names every bound of the pages.

Invariant: the table is bounded, and an address that was quiet for a minute starts afresh. Each process counts alone.
"""

import datetime as dt
import ipaddress
import math
from collections import OrderedDict
from dataclasses import dataclass, field

from reminders.clock import Clock

MOST_ADDRESSES = 20_000
_MINUTE = 60.0
_V6_NETWORK = 64  # what one household or one machine is given (RFC 6177)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests one address may make in a minute, and how much all together may take up.

    One-click posts of many patients come from the few addresses of their mail provider, hence the larger number. So
    many `writers` at once have a place, and who finds none waits `writer_wait_s`; beyond so many `connections` there is
    only a refusal; a request has to be there whole within `request_s`.
    """

    looks: int = 60
    answers: int = 20
    one_clicks: int = 600
    writers: int = 4
    writer_wait_s: float = 2.5
    connections: int = 200
    request_s: float = 10.0


@dataclass(slots=True)
class _Bucket:
    left: float
    at: dt.datetime


@dataclass(slots=True)
class Allowance:
    """A bucket per address that holds `per_minute` requests and fills again at that pace."""

    clock: Clock
    per_minute: int
    most: int = MOST_ADDRESSES
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)

    def wait(self, address: str) -> int:
        """Take one request of an address; return 0, or after how many seconds to come again."""
        now = self.clock.now()
        bucket = self._buckets.pop(address, None) or _Bucket(float(self.per_minute), now)
        passed = max(0.0, (now - bucket.at).total_seconds())  # a clock that was set back refills nothing
        left = min(float(self.per_minute), bucket.left + passed * self.per_minute / _MINUTE)
        taken = left >= 1
        self._buckets[address] = _Bucket(left - taken, now)
        if len(self._buckets) > self.most:
            self._buckets.popitem(last=False)  # who asked longest ago
        return 0 if taken else max(1, math.ceil((1 - left) * _MINUTE / self.per_minute))

    def __len__(self) -> int:
        """Return how many addresses are known at present."""
        return len(self._buckets)


def counted_as(host: str | None) -> str:
    """Return what an address is counted under: IPv4 by itself, IPv6 by its /64, whatever has none together."""
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _V6_NETWORK), strict=False))
    return str(address)
