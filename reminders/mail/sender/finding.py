"""What is asked about a sender's domain, and what a finding about it says: values only.

Invariant: a finding names domains, selectors and records, never a mailbox; what is to be pasted is exact.
"""

from dataclasses import dataclass

LONGEST_STRING = 255  # octets of one string of a TXT record, RFC 1035 3.3.14
ASK_AGAIN = "nothing is said against the domain: ask again later, or another resolver with --resolver"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of the product for a domain; `public_key` is the base64 of its SubjectPublicKeyInfo."""

    selector: str
    public_key: str
    active: bool


@dataclass(frozen=True, slots=True)
class Sender:
    """One domain that mail is sent from: where answers go, the mail server's host (None: a folder), its keys."""

    domain: str
    reply_domains: tuple[str, ...] = ()
    relay: str | None = None
    keys: tuple[SigningKey, ...] = ()
    clinic: str = "SLUG"
    """A clinic that sends from it, for the commands that an advice names."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the name service as it is to be made."""

    name: str
    kind: str
    value: str

    @property
    def strings(self) -> tuple[str, ...]:
        """Return the value in the strings that a TXT record is made of, each of 255 octets at most."""
        pieces = range(0, max(len(self.value), 1), LONGEST_STRING)
        return tuple(self.value[start : start + LONGEST_STRING] for start in pieces)

    @property
    def written(self) -> str:
        """Return the value as it is typed into a zone file or a console: quoted strings side by side."""
        return " ".join(f'"{string}"' for string in self.strings)


@dataclass(frozen=True, slots=True)
class SenderFinding:
    """What was looked at, whether it is right (None: look at it), what was seen, how to mend it, what to paste."""

    about: str
    ok: bool | None
    said: str
    advice: str = ""
    entry: Entry | None = None


def right(about: str, said: str) -> SenderFinding:
    """Return a finding that all is well."""
    return SenderFinding(about, ok=True, said=said)


def look_at(about: str, said: str, advice: str, entry: Entry | None = None) -> SenderFinding:
    """Return a finding that a person should look at: it works, or nobody can tell from here."""
    return SenderFinding(about, ok=None, said=said, advice=advice, entry=entry)


def wrong(about: str, said: str, advice: str, entry: Entry | None = None) -> SenderFinding:
    """Return a finding that has to be mended."""
    return SenderFinding(about, ok=False, said=said, advice=advice, entry=entry)
