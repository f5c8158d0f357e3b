"""Writes header fields: the only place where a value becomes part of a message's head.

Invariant: a field is what its name says and nothing more. A value with a line end, a control character or something
that reads as an encoded word is refused, so no value can add a field, a recipient or a body (RFC 5322, RFC 2047). The
bytes are ASCII, end in CRLF, and do not depend on Python's version: a retry sends the same ones.
"""

import base64
import re
import unicodedata

from reminders.errors import CannotDo
from reminders.mail.address import BadAddress, parse_address

LONGEST_LINE = 998  # octets without CRLF, RFC 5322 2.1.1
PREFERRED_LINE = 78
_WORD_BYTES = 39  # per encoded word: 64 columns, so that the longest field name before it stays within 76 (RFC 2047 2)
_REFUSED = {"Cc", "Cs", "Zl", "Zp"}
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_URL = re.compile(r"(?:https://|mailto:)[!#-;=?-~]+")  # printable ASCII without blank, quote or angle brackets
_MESSAGE_ID = re.compile(r"<[0-9A-Za-z.+_-]+@[0-9A-Za-z.-]+>")


class HeaderRefused(CannotDo):
    """The message has no valid {header}: its value {problem}. Correct it where it is kept, then plan again."""


def plain(name: str, value: str) -> bytes:
    """Return a field whose value is ASCII without blanks at its ends, folded at blanks."""
    return _folded(name, _clean(name, value))


def unstructured(name: str, value: str) -> bytes:
    """Return a field of free words (Subject): as it is in ASCII, else as encoded words."""
    clean = _clean(name, value)
    return _folded(name, clean if clean.isascii() else _encoded(clean))


def mailbox(name: str, display_name: str, address: str) -> bytes:
    """Return a field with exactly one mailbox; an empty `display_name` leaves the address alone."""
    only = _one_address(name, address)
    if not display_name.strip():
        return _folded(name, only)
    clean = _clean(name, display_name)
    if not clean.isascii():
        phrase = _encoded(clean)
    elif _ATOMS.fullmatch(clean):
        phrase = clean
    else:
        phrase = '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return _folded(name, f"{phrase} <{only}>")


def link(name: str, url: str) -> bytes:
    """Return a field that holds one URL in angle brackets, never encoded and never cut (RFC 2369, RFC 8058)."""
    if not _URL.fullmatch(url):
        raise HeaderRefused(header=name, problem="is no https or mailto address in plain ASCII")
    return _line(name, f"<{url}>")


def identifier(name: str, value: str) -> bytes:
    """Return a field that holds one message identifier, never encoded and never cut."""
    if not _MESSAGE_ID.fullmatch(value):
        raise HeaderRefused(header=name, problem="is no message identifier")
    return _line(name, value)


def _one_address(name: str, address: str) -> str:
    try:
        return parse_address(address)
    except BadAddress as error:
        raise HeaderRefused(header=name, problem=f"is not one address ({error.facts['problem']})") from None


def _clean(name: str, value: str) -> str:
    if any(unicodedata.category(mark) in _REFUSED for mark in value):
        raise HeaderRefused(header=name, problem="holds a line end or a control character")
    if "=?" in value:
        raise HeaderRefused(header=name, problem="holds '=?', which mail programs would decode into something else")
    return re.sub(" +", " ", value).strip(" ")


def _encoded(value: str) -> str:
    """Return encoded words (RFC 2047), cut between characters, never inside one."""
    words, room = [""], _WORD_BYTES
    for mark in value:
        size = len(mark.encode())
        if size > room:
            words.append("")
            room = _WORD_BYTES
        words[-1] += mark
        room -= size
    return " ".join(f"=?utf-8?b?{base64.b64encode(word.encode()).decode()}?=" for word in words)


def _folded(name: str, value: str) -> bytes:
    """Return a field folded at blanks, never right after its name: some programs read that as an empty value."""
    first, *others = value.split(" ")
    lines = [f"{name}: {first}"]
    for word in others:
        if len(lines[-1]) + 1 + len(word) > PREFERRED_LINE:
            lines.append("")
        lines[-1] += f" {word}"
    return b"".join(_checked(name, line) for line in lines)


def _line(name: str, value: str) -> bytes:
    """Return a field on one line, whatever its length: a cut or an encoded word inside a URL breaks it."""
    return _checked(name, f"{name}: {value}")


def _checked(name: str, line: str) -> bytes:
    if len(line) > LONGEST_LINE:
        raise HeaderRefused(header=name, problem=f"does not fit into a line of {LONGEST_LINE} characters")
    return f"{line}\r\n".encode("ascii")
