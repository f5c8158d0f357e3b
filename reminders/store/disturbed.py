"""Asks the trail whether something changed that was read before.

Invariant: whatever a message rests on changes only with an entry on the trail, and entries stand in the order of their
commits; so what no entry names is as it was.
"""

from collections.abc import Collection

from sqlalchemy import bindparam, or_, select

from reminders.store.among import among
from reminders.store.schema import audit
from reminders.store.transaction import Transaction

MOST = 1000
"""So many entries are looked at; where there are more, everything may have changed."""


def disturbed(
    tx: Transaction, since: int, clinic_ids: Collection[int], patient_ids: Collection[int]
) -> set[int] | None:
    """Return those of these patients whom entries after the number `since` are about; None where it may be any.

    What is about a clinic of theirs, or about the whole installation, may concern every one of them.
    """
    found = tx.connection.execute(_SINCE, {"since": since, "asked": patient_ids}).all()
    if len(found) == MOST or any(patient is None and (clinic or 0) in {0, *clinic_ids} for patient, clinic in found):
        return None
    return {patient for patient, _ in found if patient is not None}


_SINCE = (
    select(audit.c.patient_id, audit.c.clinic_id)
    .where(audit.c.id > bindparam("since"), or_(audit.c.patient_id.is_(None), among(audit.c.patient_id)))
    .order_by(audit.c.id)
    .limit(MOST)
)
