"""Recognises addresses that stand in a patient's record because something had to stand there.

Invariant: only what nobody's own mailbox is called is taken for a placeholder; the rest is left to the rule that an
address of more than five patients is none of theirs.
"""

from collections.abc import Collection

SHARED_BY = 5
"""An address of more patients than this is a placeholder (product rules, first import)."""

_NOBODY = frozenset(
    (
        *("none", "no", "na", "n.a", "nil", "null", "unknown", "noone", "no.one", "nobody", "declined", "refused"),
        *("noemail", "no-email", "no_email", "no.email", "nomail", "no-mail", "no_mail", "no.mail"),
        *("notgiven", "not-given", "not.given", "notprovided", "not-provided", "not.provided"),
        *("noreply", "no-reply", "no_reply", "no.reply", "donotreply", "do-not-reply", "do_not_reply"),
        *("reception", "receptionist", "frontdesk", "front-desk", "front_desk", "front.desk"),
    )
)
_NOWHERE = frozenset(("none.com", "no.com", "noemail.com", "nomail.com", "noemail.co.uk", "na.com"))


def is_placeholder(address: str, own: Collection[str] = ()) -> bool:
    """Tell whether a parsed address is nobody's, or one of the clinic's `own` (casefolded)."""
    folded = address.casefold()
    local, _, domain = folded.rpartition("@")
    return local.partition("+")[0] in _NOBODY or domain in _NOWHERE or folded in own
