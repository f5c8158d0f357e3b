"""A small mail inbox on this machine: it receives over a real socket and keeps each message as a file.

Invariant: it listens on this machine alone and passes nothing on; neither one message nor all of them together grow
beyond their bounds; a message it answered with 250 is in its folder, whole.
"""

import asyncio
import enum
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope, Session

from reminders.errors import CannotDo

MOST_MESSAGES = 5_000
LARGEST_MESSAGE = 1_000_000  # bytes; a reminder has about 10,000
_ON_ITS_FEET = 10.0  # seconds to open or close a port of this machine


class InboxNotOpen(CannotDo):
    """The demo's inbox cannot be opened on this machine ({problem}): allow a program to listen on 127.0.0.1."""


class Mailbox(enum.Enum):
    """How the inbox treats mail for one address; every other address takes what comes."""

    UNKNOWN_HERE = "550 5.1.1 No such mailbox here"
    LATER = "451 4.7.1 Not now, please come again"
    """Only the first time, as servers do that wait for a second attempt before they trust a sender."""
    SILENT = ""
    """The message is taken, but the connection ends before the answer: nobody can tell any more."""


class Inbox:
    """The inbox of one folder, open within a `with`; messages are numbered in the order in which they came."""

    def __init__(
        self,
        folder: Path,
        mailboxes: Mapping[str, Mailbox] = MappingProxyType({}),
        *,
        most: int = MOST_MESSAGES,
        largest: int = LARGEST_MESSAGE,
    ) -> None:
        """Say where the messages go, which addresses are treated in a way of their own, and the bounds."""
        self._folder, self._mailboxes, self._most, self._largest = folder, dict(mailboxes), most, largest
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
        self._ready = threading.Event()
        self._problem: str | None = None
        self._count = 0
        self.port = 0
        self.arrived: Callable[[Path], None] | None = None
        """Called, in the inbox's own thread, with the file of each message that came in."""

    @property
    def url(self) -> str:
        """Return what REMINDERS_SMTP_URL must be to deliver here."""
        return f"smtp://127.0.0.1:{self.port}?tls=never"

    @property
    def count(self) -> int:
        """Return how many messages came in since it was opened."""
        return self._count

    def __enter__(self) -> Self:
        """Listen on a free port; raises `InboxNotOpen`."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = logging.getLogger("mail.log")  # the library's; without a handler it would talk to the terminal
        if not log.handlers:
            log.addHandler(logging.NullHandler())
        self._thread.start()
        self._ready.wait(_ON_ITS_FEET)
        if not self.port:
            raise InboxNotOpen(problem=self._problem or "no answer from the system")
        return self

    def __exit__(self, *_: object) -> None:
        """Close the port and every connection."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_ON_ITS_FEET)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            server = self._loop.run_until_complete(self._loop.create_server(self._conversation, "127.0.0.1", 0))
        except OSError as error:
            self._problem = error.strerror
            self._ready.set()
            self._loop.close()
            return
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        unfinished = asyncio.all_tasks(self._loop)
        for task in unfinished:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*unfinished, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _conversation(self) -> SMTP:
        return SMTP(self, hostname="inbox.example", ident="demo inbox", data_size_limit=self._largest, loop=self._loop)

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Answer to a recipient."""
        if self._count >= self._most:
            return "452 4.3.1 This inbox is full"
        mailbox = self._mailboxes.get(address)
        if mailbox is Mailbox.LATER:
            del self._mailboxes[address]
        if mailbox in (Mailbox.UNKNOWN_HERE, Mailbox.LATER):
            return str(mailbox.value)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient ok"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Keep a message, then answer."""
        path = self._keep(envelope.original_content or b"")
        if path is None:
            return "452 4.3.1 The message could not be kept"
        if any(self._mailboxes.get(address) is Mailbox.SILENT for address in envelope.rcpt_tos) and server.transport:
            server.transport.close()
        return "250 2.0.0 Kept"

    async def handle_exception(self, _error: Exception) -> str:
        """Answer where the library would write a traceback to the terminal."""
        return "451 4.3.0 The inbox stumbled"

    def _keep(self, content: bytes) -> Path | None:
        """Write a message into a file of its own, which appears whole; None where it cannot be written."""
        self._count += 1
        path = self._folder / f"{self._count:04}.eml"
        unfinished = path.with_suffix(".part")
        try:
            unfinished.write_bytes(content)
            unfinished.replace(path)
        except OSError:
            return None
        if self.arrived is not None:
            self.arrived(path)
        return path
