"""The key ring and what is derived from it: address keys, Message-IDs, the audit chain, link tokens.

Invariant: rotation forgets nobody. A random pepper, made once, is wrapped by the ring; everything that must stay
comparable for years is keyed by the pepper, never by a key that will be rotated away.
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reminders.errors import CannotDo
from reminders.settings import Settings, split_keys

if TYPE_CHECKING:
    from cryptography.fernet import Fernet, MultiFernet

TOKEN_BYTES = 32


class NoSecretKey(CannotDo):
    """There is no secret key: run `reminders init`, which makes {path}, or set REMINDERS_SECRET_KEY."""


class LostSecretKey(CannotDo):
    """There is no secret key at {path}, and this database opens only with the one it was made with.

    Put your copy of it there, or set REMINDERS_SECRET_KEY_FILE to where it is. No command makes the same key again: if
    no copy is left, "The secret key is lost" in docs/operations.md says how to begin anew, and what is lost.
    """


class WrongSecretKey(CannotDo):
    """The secret key does not open this database: give the key it was made with (REMINDERS_SECRET_KEY or its file)."""


class UnreadableSecretKey(CannotDo):
    """The secret key in {path} cannot be used: it must be readable text of 32 characters or more."""


class KeyUnwritable(CannotDo):
    """The secret key could not be written to {path}: make room there, then run the command again."""


class BrokenSeal(CannotDo):
    """What is kept under seal ({purpose}) cannot be opened: it was changed, or belongs to another database."""


class Keys:
    """What the pepper derives; deterministic, so that the same facts give the same Message-ID."""

    def __init__(self, pepper: bytes, new_token: Callable[[], str] | None = None) -> None:
        """Keep the pepper; `new_token` replaces the random tokens where a run must be repeatable."""
        self._pepper = pepper
        self.new_token = new_token or (lambda: secrets.token_urlsafe(TOKEN_BYTES))

    def _mac(self, purpose: str, text: str) -> str:
        return hmac.new(self._pepper, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()

    @property
    def audit_key(self) -> bytes:
        """Return the key of the audit chain."""
        return bytes.fromhex(self._mac("audit", ""))

    def address_key(self, normalised: str) -> str:
        """Return the keyed hash under which a normalised address is suppressed."""
        return self._mac("address", normalised)

    def domain_key(self, domain: str) -> str:
        """Return the keyed hash under which a recipients' domain is known."""
        return self._mac("domain", domain)

    def message_seed(self, identity: str) -> str:
        """Return the left part of a Message-ID for the identity of a message."""
        return self._mac("message", identity)[:32]

    def seal(self, purpose: str, data: bytes) -> bytes:
        """Return a secret as it may be stored: encrypted, and of use for this purpose alone."""
        return self._box(purpose).encrypt(data)

    def unseal(self, purpose: str, sealed: bytes) -> bytes:
        """Return what was sealed for this purpose; raises `BrokenSeal`."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - a third of the start-up time, needed only here

        try:
            return self._box(purpose).decrypt(sealed)
        except InvalidToken:
            raise BrokenSeal(purpose=purpose) from None

    def _box(self, purpose: str) -> "Fernet":
        from cryptography.fernet import Fernet  # noqa: PLC0415 - as above

        return Fernet(base64.urlsafe_b64encode(bytes.fromhex(self._mac("seal", purpose))))


def token_hash(token: str) -> str:
    """Return what is stored of a link's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def read_ring(settings: Settings, *, needed: bool) -> tuple[str, ...]:
    """Return the installation's keys, newest first; `needed` by a database that was made with one of them.

    Raises `NoSecretKey` (`LostSecretKey` where it is needed) or `UnreadableSecretKey`.
    """
    if settings.secret_key:
        return settings.secret_key
    path = settings.secret_key_file
    if not path.exists():
        raise LostSecretKey(path=path.absolute()) if needed else NoSecretKey(path=path)
    try:
        ring = split_keys(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UnreadableSecretKey(path=path) from None
    if not ring:
        raise UnreadableSecretKey(path=path)
    return ring


def make_key_file(path: Path) -> None:
    """Write a fresh key, readable by its owner alone; an existing file is never touched, half a key never left."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise KeyUnwritable(path=path) from None


def wrap_new_pepper(ring: Sequence[str]) -> bytes:
    """Return a fresh pepper, encrypted with the newest key."""
    return _fernet(ring[:1]).encrypt(secrets.token_bytes(32))


def unwrap(wrapped: bytes, ring: Sequence[str]) -> bytes:
    """Return the pepper; raises `WrongSecretKey` when no key of the ring opens it."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 - a third of the start-up time, needed only here

    try:
        return _fernet(ring).decrypt(wrapped)
    except InvalidToken:
        raise WrongSecretKey from None


def rewrap(wrapped: bytes, ring: Sequence[str]) -> bytes:
    """Return the same pepper wrapped by the newest key of the ring."""
    return _fernet(ring).rotate(wrapped)


def _fernet(ring: Sequence[str]) -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 - as above

    return MultiFernet(
        [Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"ring\0" + key.encode()).digest())) for key in ring]
    )
