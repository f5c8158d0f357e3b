"""Reads tag lists, `v=DKIM1; k=rsa; p=…`, the form of DKIM and DMARC records (RFC 6376 3.2, RFC 7489 6.3).

Invariant: a list that is malformed anywhere is no list; nothing is guessed.
"""

import re

from reminders.errors import BadInput

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class NoTagList(BadInput):
    """This is no list of tags: {problem}."""


def read_tags(text: str) -> dict[str, str]:
    """Return the tags in their order, values without outer blanks; raises `NoTagList`."""
    found: dict[str, str] = {}
    pieces = text.strip(" \t").removesuffix(";").split(";")
    for piece in pieces:
        name, equals, value = piece.strip(" \t\r\n").partition("=")
        name = name.strip(" \t")
        if not equals or not _NAME.fullmatch(name):
            raise NoTagList(problem="a part of it is not of the form name=value")
        if name in found:
            raise NoTagList(problem=f"the tag {name} stands in it twice")
        found[name] = value.strip(" \t\r\n")
    return found
