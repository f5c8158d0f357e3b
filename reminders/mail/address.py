"""What an e-mail address is: exactly one, written one way, so that equal mailboxes compare equal.

Invariant: whatever comes out is one ASCII address without a space, a control character or a second address in it, and
no error repeats the address.
"""

import functools
import re
from urllib.parse import quote

from email_validator import EmailNotValidError, validate_email

from reminders.errors import BadInput

_SEPARATORS = (",", ";", " ", "<", ">")
_ORDERS = ("%", "!", "=?")
"""In a local part: routes to elsewhere (a%b.example@c.example goes on to b.example), and what programs would decode."""
_PLAIN = re.compile(r"(?=.{3,200}\Z)(?=[^@]{1,64}@)[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*@([a-z0-9.-]+)")
LONGEST = 320
"""64 octets, an @ and 255 (RFC 5321 4.5.3.1): nothing longer is even read."""


class BadAddress(BadInput):
    """This is not one e-mail address: {problem}."""


def parse_address(text: str) -> str:
    """Return the one address in `text`, its domain in lower case and ASCII (IDNA), its local part as written.

    Blanks around it are dropped. Names, lists, comments, routes, address literals, quoted or non-ASCII local parts
    raise `BadAddress`; reserved domains (`.test`, `.example`) are accepted, and nothing is looked up.
    """
    candidate = text.strip(" \t\u00a0")
    if is_plain(candidate):
        return candidate
    if len(candidate) > LONGEST:
        raise BadAddress(problem="it is longer than an address can be")
    try:
        found = validate_email(
            candidate, check_deliverability=False, test_environment=True, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError:
        raise BadAddress(problem=_problem(candidate)) from None  # the library's words repeat parts of the address
    if found.local_part.startswith("-") or any(mark in found.local_part for mark in _ORDERS):
        raise BadAddress(problem="it begins with a dash, or holds %, ! or =?, which mail servers read as orders")
    return found.ascii_email or found.normalized


def is_plain(address: str) -> bool:
    """Tell whether an address is written as most are: `parse_address` returns it as it is, and does so quickly."""
    found = _PLAIN.fullmatch(address)
    return found is not None and _is_usual(found[1])


@functools.lru_cache(4096)
def _is_usual(domain: str) -> bool:
    """Tell whether a domain is taken as it is written; most patients' mailboxes stand at the same few."""
    try:
        return (
            validate_email(
                f"a@{domain}", check_deliverability=False, test_environment=True, allow_smtputf8=False, strict=True
            ).ascii_email
            == f"a@{domain}"
        )
    except EmailNotValidError:
        return False


def normalise(text: str) -> str:
    """Return the form an address is hashed in: case folded throughout, so that no spelling slips past a suppression."""
    return parse_address(text).casefold()


def sender_domain(address: str) -> str:
    """Return the domain of an address in lower case and ASCII."""
    return parse_address(address).rpartition("@")[2]


def mailto(address: str, subject: str = "") -> str:
    """Return the `mailto:` link to an address, percent-encoded (RFC 6068), with a subject if one is given."""
    local, _, domain = parse_address(address).rpartition("@")
    return f"mailto:{quote(local, safe='')}@{domain}" + (f"?subject={quote(subject, safe='')}" if subject else "")


def _problem(candidate: str) -> str:
    if not candidate:
        return "it is empty"
    if "@" not in candidate:
        return "it has no @"
    if any(mark in candidate for mark in _SEPARATORS):
        return "it holds more than the address itself"
    if not candidate.rpartition("@")[0].isascii():
        return "the part before the @ has letters that mail servers do not take"
    return "it is not written as a name, an @ and a domain"
