"""The keys with which the product signs a sender's mail.

Invariant: every verb is one service; nothing is decided here.
"""

from reminders.app.opened import Opened
from reminders.mail.sender.name_service import NameService
from reminders.services import signing
from reminders.services.signing import KeyView


class SenderVerbs(Opened):
    """The keys with which the product signs a sender's mail."""

    def make_sender_key(self, slug: str, selector: str | None) -> KeyView:
        """Make a key for a clinic's sender domain, or return the one that waits."""
        return signing.make_key(self.database, self.clock, self.keys, slug, selector)

    def activate_sender_key(self, slug: str, selector: str | None, *, force: bool) -> KeyView:
        """Put a key to use once the name service shows it, or at once with `force`."""
        names = None if force else NameService(self.settings.resolvers)
        return signing.activate(self.database, self.clock, self.keys, names, slug, selector)

    def retire_sender_key(self, slug: str, selector: str) -> KeyView:
        """End a key's use for good."""
        with self._writing() as tx:
            return signing.retire(tx, slug, selector)

    def sender_keys(self) -> list[KeyView]:
        """Return every key."""
        with self._reading() as tx:
            return signing.list_keys(tx)
