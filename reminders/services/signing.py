"""Signs a sender's mail with a key of the product (DKIM), and leads keys through life: made, shown, used, retired.

Invariants: a private key exists outside its seal only while it is made or signs, and is never shown; a key signs only
once the name service shows its record, unless a person insists; mail of a domain that has a key in use never goes out
unsigned because the key cannot be opened.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reminders.clock import Clock
from reminders.errors import BadInput, CannotDo
from reminders.mail.address import sender_domain
from reminders.mail.sender import dkim
from reminders.mail.sender.dkim import Signer
from reminders.mail.sender.dkim_check import record_fault
from reminders.mail.sender.dkim_record import key_entry
from reminders.mail.sender.finding import Entry, SigningKey
from reminders.mail.sender.name_service import NameService
from reminders.services.find import sound_clinics, the_clinic
from reminders.services.keys import BrokenSeal, Keys
from reminders.store import signing
from reminders.store.database import Database, Transaction
from reminders.store.signing import DkimKey

PURPOSE = "DKIM key"
_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
Sign = Callable[[bytes, str], bytes]


class BadSelector(BadInput):
    """The selector cannot be used: write small letters, digits and dashes inside, at most 63."""


class SelectorTaken(BadInput):
    """The domain {domain} has, or had, a key {selector}: choose another name, since receivers may remember that one."""


class NoSuchKey(BadInput):
    """There is no such key for {domain}: `reminders sender list` shows the keys, `reminders sender key` makes one."""


class KeyInUse(BadInput):
    """The key {selector} of {domain} is in use already."""


class KeyRetired(BadInput):
    """The key {selector} of {domain} is retired: make a new one with `reminders sender key`."""


class NotYetShown(CannotDo):
    """The key {selector} of {domain} is not put to use: {said}.

    Make the entry that `reminders sender key` shows, wait until it is seen, and try again; --force does without.
    """


class KeyCannotBeOpened(CannotDo):
    """The signing key {selector} of {domain} cannot be opened, so none of its mail is sent unsigned instead.

    Retire it with `reminders sender retire`, or restore the database it belongs to.
    """


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key as people see it; `clinics` are the slugs of those that send from its domain."""

    domain: str
    selector: str
    state: str
    entry: Entry
    clinics: tuple[str, ...]
    created_at: dt.datetime
    active_at: dt.datetime | None
    retired_at: dt.datetime | None


def unsigned(content: bytes, _domain: str) -> bytes:
    """Return the message as it is: the mail server may sign it."""
    return content


def signer(tx: Transaction, keys: Keys) -> Sign:
    """Return what signs a message by its From's domain, with every key in use opened once.

    Raises `KeyCannotBeOpened` for the first key that some clinic's domain uses and nobody can open.
    """
    used = _domains(tx)
    open_keys = {key.domain: opened(key, keys) for key in signing.keys_of(tx) if key.active and key.domain in used}

    def sign(content: bytes, domain: str) -> bytes:
        found = open_keys.get(domain)
        return content if found is None else dkim.sign(content, found)

    return sign


def opened(key: DkimKey, keys: Keys) -> Signer:
    """Return the signer of a key; raises `KeyCannotBeOpened`."""
    try:
        private = dkim.load_key(keys.unseal(PURPOSE, key.sealed_key))
    except (BrokenSeal, ValueError):
        raise KeyCannotBeOpened(selector=key.selector, domain=key.domain) from None
    return Signer(key.domain, key.selector, private)


def make_key(database: Database, clock: Clock, keys: Keys, slug: str, selector: str | None) -> KeyView:
    """Return the key that waits for the clinic's sender domain, made now unless one waits; a `selector` names it."""
    if selector is not None and not _SELECTOR.fullmatch(selector):
        raise BadSelector
    private = dkim.new_key()  # before the transaction: it takes its time
    with database.write(clock.now, "cli") as tx:
        domain = sender_domain(the_clinic(tx, slug).email)
        stored = signing.keys_of(tx, domain)
        waiting = [key for key in stored if key.waiting and selector in (None, key.selector)]
        if not waiting:
            name = selector or _free_selector(stored, tx.now)
            if any(key.selector == name for key in stored):
                raise SelectorTaken(domain=domain, selector=name)
            signing.add_key(tx, domain, name, keys.seal(PURPOSE, private), dkim.public_key(private))
            waiting = signing.keys_of(tx, domain)[-1:]
        return _view(waiting[-1], _domains(tx))


def activate(
    database: Database,
    clock: Clock,
    keys: Keys,
    names: NameService | None,
    slug: str,
    selector: str | None = None,
) -> KeyView:
    """Put the newest waiting key of the clinic's domain (or the one named) to use; the one before it is retired.

    1. Open the key: one that cannot be opened must never be the one in use. 2. Ask for its record, outside any
    transaction (`names` None: a person insists). 3. Put it to use, if it still waits.
    """
    with database.read(clock.now()) as tx:
        chosen = _chosen(tx, slug, selector)
    opened(chosen, keys)
    if names is not None:
        names.begin()
        fault = record_fault(names, chosen.domain, SigningKey(chosen.selector, chosen.public_key, active=False))
        if fault is not None:
            raise NotYetShown(selector=chosen.selector, domain=chosen.domain, said=fault)
    with database.write(clock.now, "cli") as tx:
        chosen = _chosen(tx, slug, chosen.selector)
        signing.activate(tx, chosen)
        return _named(tx, chosen)


def retire(tx: Transaction, slug: str, selector: str) -> KeyView:
    """End a key's use for good; where it signed, mail of its domain goes out unsigned from now on."""
    domain = sender_domain(the_clinic(tx, slug).email)
    found = next((key for key in signing.keys_of(tx, domain) if key.selector == selector), None)
    if found is None:
        raise NoSuchKey(domain=domain)
    if found.retired_at is None:
        signing.retire(tx, found)
    return _named(tx, found)


def list_keys(tx: Transaction) -> list[KeyView]:
    """Return every key by domain, oldest first."""
    used = _domains(tx)
    return [_view(key, used) for key in signing.keys_of(tx)]


def _chosen(tx: Transaction, slug: str, selector: str | None) -> DkimKey:
    domain = sender_domain(the_clinic(tx, slug).email)
    stored = signing.keys_of(tx, domain)
    named = [key for key in stored if (key.waiting if selector is None else key.selector == selector)]
    if not named:
        raise NoSuchKey(domain=domain)
    if named[-1].retired_at is not None:
        raise KeyRetired(domain=domain, selector=named[-1].selector)
    if named[-1].active:
        raise KeyInUse(domain=domain, selector=named[-1].selector)
    return named[-1]


def _named(tx: Transaction, key: DkimKey) -> KeyView:
    after = next(found for found in signing.keys_of(tx, key.domain) if found.id == key.id)
    return _view(after, _domains(tx))


def _free_selector(stored: list[DkimKey], now: dt.datetime) -> str:
    taken = {key.selector for key in stored}
    month = f"reminders-{now:%Y%m}"
    return next(name for name in (month, *(f"{month}-{n}" for n in range(2, 10_000))) if name not in taken)


def _domains(tx: Transaction) -> Mapping[str, tuple[str, ...]]:
    """Return the slugs of the clinics that send from each domain."""
    found: dict[str, tuple[str, ...]] = {}
    for clinic in sound_clinics(tx):
        domain = sender_domain(clinic.email)
        found[domain] = (*found.get(domain, ()), clinic.slug)
    return found


def _view(key: DkimKey, used: Mapping[str, tuple[str, ...]]) -> KeyView:
    state = "retired" if key.retired_at else "active" if key.active else "waiting"
    entry = key_entry(key.selector, key.domain, key.public_key)
    times = (key.created_at, key.active_at, key.retired_at)
    return KeyView(key.domain, key.selector, state, entry, used.get(key.domain, ()), *times)
