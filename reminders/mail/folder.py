"""Writes each message into a folder as an `.eml` file, with the same steps as a mail server.

Invariant: a file named `.eml` is a whole message, and one Message-ID never makes two files. Until the dot there is only
a hidden, unfinished file, which the next attempt of the same message clears away.
"""

import contextlib
import hashlib
import os
import uuid
from email.parser import BytesHeaderParser
from pathlib import Path

from reminders.mail.outcome import Blame, Outcome, Phase, TransportFault, Trouble, Verdict, lost


class FolderTransport:
    """The way to one folder, which is made when first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        """The folder as it was given."""
        return f"file:{self._folder}"

    def connect(self) -> "FolderSession":
        """Make the folder if it is missing; raises `TransportFault` where nothing can be written into it."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            writable = False
        else:
            writable = os.access(self._folder, os.W_OK | os.X_OK)
        if not writable:
            raise TransportFault(server=self.name, phase=Phase.CONNECT, kind=Trouble.REFUSED, certain=True, code=None)
        return FolderSession(self._folder)


class FolderSession:
    """Writes one message after the other; see `reminders.mail.transport.Session` for what its steps promise."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unfinished: Path | None = None
        self._finished: Path | None = None
        self._outcome: Outcome | None = None

    def begin(self, sender: str, recipient: str) -> None:  # noqa: ARG002 - a folder takes every sender and recipient
        """Begin a message."""
        self._discard()
        self._outcome = None

    def agreed(self) -> Outcome | None:
        """Agree to everybody."""
        return None

    def body(self, content: bytes) -> Outcome | None:
        """Write the whole message into a hidden file and onto the disk."""
        named = BytesHeaderParser().parsebytes(content)["Message-ID"]
        if not named:
            return Outcome(Verdict.NEVER, Blame.MESSAGE, Phase.BODY)
        key = hashlib.sha256(str(named).strip().encode()).hexdigest()[:40]
        self._finished = self._folder / f"{key}.eml"
        self._unfinished = self._folder / f".{key}.{uuid.uuid4().hex}.part"
        try:
            for left_over in self._folder.glob(f".{key}.*.part"):
                left_over.unlink(
                    missing_ok=True
                )  # of an attempt that was killed; a writer still alive loses its rename
            with os.fdopen(os.open(self._unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            self._discard()
            return lost(Phase.BODY, dot_sent=False)
        return None

    def dot(self) -> None:
        """Give the file its name: the one instant in which the message appears."""
        self._outcome = self._appear()

    def waits_on(self) -> int | None:
        """Return `None`: a folder answers at once."""
        return None

    def reply(self) -> Outcome:
        """Return what became of the dot."""
        return self._outcome or lost(Phase.DOT, dot_sent=False)

    def abandon(self) -> None:
        """Remove the unfinished file."""
        self._discard()

    def reset(self) -> bool:
        """Remove the unfinished file; a folder is always ready for the next message."""
        self._discard()
        return True

    def close(self) -> None:
        """Remove the unfinished file."""
        self._discard()

    def _appear(self) -> Outcome:
        if self._unfinished is None or self._finished is None:
            return lost(Phase.DOT, dot_sent=False)
        try:
            self._unfinished.replace(self._finished)
        except OSError:  # a rename happens or it does not
            self._discard()
            return lost(Phase.DOT, dot_sent=False)
        self._unfinished = None
        try:
            _sync_folder(self._folder)
        except OSError:  # the name is there, but a power cut may still take it
            return lost(Phase.DOT, dot_sent=True)
        return Outcome(Verdict.ACCEPTED, None, Phase.DOT)

    def _discard(self) -> None:
        if self._unfinished is not None:
            with contextlib.suppress(OSError):
                self._unfinished.unlink(missing_ok=True)
        self._unfinished = None


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # Windows cannot open a folder, and needs not
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
