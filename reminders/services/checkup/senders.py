"""Examines each sender's domain: its keys, and what the name service says of it (SPF, DKIM, DMARC, replies, bounces).

Invariant: one examination per domain, however many clinics send from it; no transaction is open while a resolver is
asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from reminders.mail.address import sender_domain
from reminders.mail.sender.examination import examine_sender
from reminders.mail.sender.finding import Sender, SenderFinding, SigningKey
from reminders.mail.sender.name_service import NameService
from reminders.services.checkup.check import Check, Examined
from reminders.services.signing import KeyCannotBeOpened, opened
from reminders.store import clinics, signing
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction
from reminders.store.signing import DkimKey

SLUGS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain that clinics send from, with the slugs of those clinics and its keys that are not retired."""

    sender: Sender
    slugs: tuple[str, ...]
    keys: tuple[DkimKey, ...]

    @property
    def title(self) -> str:
        """Return what the checks of this domain are called."""
        more = f" and {len(self.slugs) - SLUGS_SHOWN} more" if len(self.slugs) > SLUGS_SHOWN else ""
        return f"sender {self.sender.domain} ({', '.join(self.slugs[:SLUGS_SHOWN])}{more})"


def sender_checks(examined: Examined) -> Iterator[Check]:
    """Yield the checks of every domain that clinics send from, or of the one clinic's under examination."""
    if examined.database is None:
        yield Check("sender DNS", None, "not looked at: it needs the database", "mend the database first")
        return
    with examined.database.read(examined.now) as tx:
        found = _domains(tx, _relay(examined.settings.smtp_url), examined.clinic)
    names = NameService(examined.settings.resolvers) if found else None
    for domain in found:
        yield from _key_checks(examined, domain)
        if names is not None:
            yield from (_check(domain, finding) for finding in examine_sender(names, domain.sender))


def _domains(tx: Transaction, relay: str | None, slug: str | None) -> list[Domain]:
    grouped: dict[str, list[Clinic]] = {}
    for clinic in clinics.readable_clinics(tx):
        if slug in (None, clinic.slug):
            grouped.setdefault(sender_domain(clinic.email), []).append(clinic)
    return [_domain(tx, name, users, relay) for name, users in sorted(grouped.items())]


def _domain(tx: Transaction, name: str, users: list[Clinic], relay: str | None) -> Domain:
    kept = tuple(key for key in signing.keys_of(tx, name) if key.retired_at is None)
    replies = dict.fromkeys(sender_domain(clinic.reply_to) for clinic in users if clinic.reply_to)
    public = tuple(SigningKey(key.selector, key.public_key, key.active) for key in kept)
    sender = Sender(name, tuple(replies), relay, public, users[0].slug)
    return Domain(sender, tuple(clinic.slug for clinic in users), kept)


def _relay(smtp_url: str | None) -> str | None:
    """Return the mail server's host; None for a folder, and for what is no address (another check says so)."""
    try:
        return urlsplit(smtp_url or "").hostname or None
    except ValueError:
        return None


def _key_checks(examined: Examined, domain: Domain) -> Iterator[Check]:
    """Say which keys cannot be opened: with one in use, delivery refuses to begin."""
    for key in domain.keys:
        name = f"{domain.title}: key {key.selector}"
        try:
            if examined.keys is not None:
                opened(key, examined.keys)
        except KeyCannotBeOpened as error:
            retire = f"`reminders sender retire --clinic {domain.slugs[0]} --selector {key.selector}`"
            if key.active:
                yield Check(name, ok=False, said=str(error), advice=f"{retire}, then make another")
            else:
                said = "it cannot be opened; nothing is signed with it"
                yield Check(name, ok=None, said=said, advice=f"{retire}, and make another")


def _check(domain: Domain, finding: SenderFinding) -> Check:
    name = f"{domain.title}: {finding.about}" if finding.about else domain.title
    return Check(name, finding.ok, finding.said, finding.advice, finding.entry)
