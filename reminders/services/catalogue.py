"""Installs the starter catalogue and takes in changed protocols; what they touch is planned again with them.

Invariants: the catalogue is checked as a whole, stored ones included, before anything is saved; a protocol keeps its
line and its class for as long as a treatment is recorded under it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from reminders.domain import catalogue_rules
from reminders.domain.protocol import Protocol
from reminders.errors import BadInput
from reminders.services.advertising import ensure_labels_allowed
from reminders.services.catalogue_file import BadCatalogue, starter_catalogue
from reminders.services.plan import BATCH, PlanOutcome, plan_readable
from reminders.store import clinics, protocols, reports
from reminders.store.database import Transaction


class ProtocolInUse(BadInput):
    """Protocol {code} cannot change its {what} from {before} to {after}: treatments are recorded under it.

    Their clock and what a patient agreed to or declined hang on it. Switch it off (active: false) and import the
    changed one under a new code.
    """


@dataclass(frozen=True, slots=True)
class CatalogueOutcome:
    """The codes that were added, changed (a new version) and left as they were, what planning did, what to look at."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    plan: PlanOutcome = field(default_factory=PlanOutcome)
    warnings: tuple[str, ...] = ()


def install_starter(tx: Transaction) -> int:
    """Save the starter protocols whose codes are not stored yet; return how many.

    What is stored, edited or not, is left alone. A starter protocol that does not fit the edited ones (a course whose
    following protocol has another line now) is left out.
    """
    stored = protocols.current(tx)
    starter = {protocol.code: protocol for protocol in starter_catalogue()}
    missing = {code: protocol for code, protocol in starter.items() if code not in stored}
    unfit = {complaint.code for complaint in catalogue_rules.complaints({**stored, **missing})}
    added = [code for code in missing if code not in unfit]
    for code in added:
        protocols.save_protocol(tx, missing[code])
    return len(added)


def import_catalogue(tx: Transaction, given: Sequence[Protocol]) -> CatalogueOutcome:
    """Save what differs as new versions and plan every patient treated under them; protocols left out stay.

    Raises `BadCatalogue` for what is wrong with the catalogue as it would become, `ProtocolInUse` for a change of line,
    group or class under recorded treatments: an episode keeps its line in its group, and a cosmetic treatment called
    medical would reach people who declined, or are too young for, cosmetic messages.
    """
    stored = protocols.current(tx)
    together = {**stored, **{protocol.code: protocol for protocol in given}}
    _check(together, {protocol.code for protocol in given})
    added = tuple(protocol.code for protocol in given if protocol.code not in stored)
    changed = tuple(protocol.code for protocol in given if _differs(stored.get(protocol.code), protocol))
    _check_in_use(tx, stored, {code: together[code] for code in changed})
    warnings = ensure_labels_allowed(tx, (together[code] for code in (*added, *changed)))
    for code in (*added, *changed):
        protocols.save_protocol(tx, together[code])
    unchanged = tuple(protocol.code for protocol in given if protocol.code not in {*added, *changed})
    plan = _replan(tx, changed, together) if changed else PlanOutcome()
    return CatalogueOutcome(added, changed, unchanged, plan, warnings)


def _check(together: Mapping[str, Protocol], given: set[str]) -> None:
    """Raise `BadCatalogue` with every complaint that the given protocols cause, with themselves or with stored ones."""
    found = [
        f"protocol {complaint.code}: {complaint.field} {complaint.problem}"
        for complaint in catalogue_rules.complaints(together)
        if complaint.code in given or together[complaint.code].then in given
    ]
    if found:
        raise BadCatalogue(place="What was given", complaints="; ".join(found))


def _differs(before: Protocol | None, after: Protocol) -> bool:
    """Tell whether a stored protocol changes in more than its number and the day it took effect."""
    return before is not None and before != replace(after, version=before.version, effective_on=before.effective_on)


def _check_in_use(tx: Transaction, stored: Mapping[str, Protocol], changed: Mapping[str, Protocol]) -> None:
    in_use = reports.protocols_in_use(tx, changed)
    for code, after in changed.items():
        before = stored[code]
        pairs = (("line", before.clock, after.clock), ("class", before.class_name, after.class_name))
        for what, was, becomes in pairs:
            if was != becomes and code in in_use:
                raise ProtocolInUse(code=code, what=what, before=was, after=becomes)


def _replan(tx: Transaction, changed: Sequence[str], together: Mapping[str, Protocol]) -> PlanOutcome:
    """Plan every patient treated under a changed protocol, or under a course that leads to one."""
    codes = {*changed, *(code for code, protocol in together.items() if protocol.then in changed)}
    outcome = PlanOutcome()
    for clinic_id in clinics.clinic_ids(tx):
        outcome += _replan_clinic(tx, clinic_id, codes)
    return outcome


def _replan_clinic(tx: Transaction, clinic_id: int, codes: set[str]) -> PlanOutcome:
    outcome, after = PlanOutcome(), 0
    while batch := reports.patients_with_protocols(tx, clinic_id, codes, after, BATCH):
        outcome += plan_readable(tx, clinic_id, batch)
        after = batch[-1]
    return outcome
