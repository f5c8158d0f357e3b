"""Compares the suppressed addresses with the ones that the audit trail tells of (promise 4).

Invariants: no address is read, and no hash of one leaves the table: what the trail holds of an address is a keyed code.
However many there are, the codes of a bounded number are held at once: more are compared in several passes.
"""

import datetime as dt
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reminders.services.auditing.tables import COPY
from reminders.services.finding import Finding
from reminders.store import reports
from reminders.store.audit_trail import Entry, entries
from reminders.store.database import Transaction
from reminders.store.fact_codes import suppression_code

CODES_AT_A_TIME = 50_000
_Group = tuple[int, str, str]
"""A clinic's id, a scope and a reason."""


@dataclass(slots=True)
class _Trail:
    """What the trail tells of each group: how many, what it holds no code of, and since when by code, in this pass."""

    passes: int
    this: int = 0
    count: Counter[_Group] = field(default_factory=Counter)
    since: dict[str, dt.datetime] = field(default_factory=dict)
    without_code: Counter[_Group] = field(default_factory=Counter)
    lifted_otherwise: Counter[_Group] = field(default_factory=Counter)

    def add(self, entry: Entry) -> None:
        """Follow the trail over its next entry about an address."""
        group = (entry.clinic_id or 0, str(entry.told.get("scope")), str(entry.told.get("reason")))
        code = entry.told.get("code")
        if self.this == 0:
            self.count[group] += {"suppress": 1, "lift": -1}.get(entry.action, 0)
            self.without_code[group] += entry.action == "suppress" and code is None
        if entry.action == "suppress" and code is not None and self.is_of_this_pass(str(code)):
            self.since[str(code)] = entry.at
        elif entry.action == "lift" and self.is_of_this_pass(str(code or "")):
            self.lifted_otherwise[group] += self.since.pop(str(code), None) is None

    def is_of_this_pass(self, code: str) -> bool:
        """Tell whether a code is compared now: each belongs to one pass."""
        return zlib.crc32(code.encode()) % self.passes == self.this


def suppressions(tx: Transaction, slugs: Mapping[int, str], keys: Sequence[bytes]) -> Iterator[Finding]:
    """Yield where addresses that were suppressed, and not lifted, are not so any more; `keys` sign the trail."""
    told = _Trail(1 + sum(1 for _ in entries(tx, subject="address")) // CODES_AT_A_TIME)
    stored, unknown = Counter[_Group](), Counter[_Group]()
    for number in range(told.passes):
        told.this = number
        told.since.clear()
        for entry in entries(tx, subject="address"):
            told.add(entry)
        for clinic_id, address_key, scope, reason, at in reports.suppressions(tx):
            stored[clinic_id, scope, reason] += told.this == 0
            unknown[clinic_id, scope, reason] += told.this == 0
            codes = {suppression_code(key, clinic_id, address_key, scope, reason) for key in keys}
            if at in [told.since[code] for code in codes & told.since.keys()]:
                unknown[clinic_id, scope, reason] -= 1
    for group in sorted(told.count.keys() | stored.keys()):
        clinic_id, scope, reason = group
        before = told.without_code[group]
        if len(keys) == 1:  # what another key signed may be lifted under this one, and be of none of them
            before -= told.lifted_otherwise[group]
        if stored[group] != told.count[group]:
            problem = (
                f"the audit trail tells of {told.count[group]} suppressed addresses ({reason}, {scope}),"
                f" the table holds {stored[group]}"
            )
            promise = 4 if stored[group] < told.count[group] else 10
            yield Finding(promise, slugs.get(clinic_id), None, None, problem, COPY)
        elif unknown[group] > before:
            problem = (
                f"{unknown[group] - before} of {stored[group]} suppressed addresses ({reason}, {scope})"
                " are not those that the audit trail tells of, or not since when it does"
            )
            yield Finding(4, slugs.get(clinic_id), None, None, problem, COPY)
