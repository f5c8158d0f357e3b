"""Writes the facts of a message as plain values and reads them back, for a process that shares nothing with ours.

Invariant: what is read back equals what was written, field by field (a test makes every field differ).
"""

import base64
import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from reminders.mail.message import Logo, MessageFacts, OwnTemplate


def facts_as_plain(facts: MessageFacts) -> dict[str, object]:
    """Return a message's facts as values that JSON can hold."""
    plain: dict[str, object] = dataclasses.asdict(facts)
    plain |= {"opens": facts.opens.isoformat(), "closes": facts.closes.isoformat()}
    if facts.logo is not None:
        content = base64.b64encode(facts.logo.content).decode()
        plain["logo"] = dataclasses.asdict(facts.logo) | {"content": content}
    return plain


def facts_from(plain: Mapping[str, Any]) -> MessageFacts:
    """Return the facts that `facts_as_plain` wrote."""
    given = dict(plain)
    given |= {name: dt.date.fromisoformat(given[name]) for name in ("opens", "closes")}
    given["reminder_keys"] = tuple(given["reminder_keys"])
    if given["logo"] is not None:
        given["logo"] = Logo(**given["logo"] | {"content": base64.b64decode(given["logo"]["content"])})
    if given["own"] is not None:
        given["own"] = OwnTemplate(**given["own"])
    return MessageFacts(**given)
