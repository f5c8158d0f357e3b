"""Hands messages over on one open SMTP connection (RFC 5321), with the final dot as a step of its own.

Invariant: until `dot` has been called the server cannot have accepted the message; after it, only a clear answer counts
as one, and a dot that certainly did not leave this machine is no dot.
"""

import contextlib
import dataclasses
from collections.abc import Callable

from reminders.mail.conversation import Conversation, fits_in_a_path
from reminders.mail.outcome import Blame, Outcome, Phase, Verdict, enhanced_code, lost, refusal
from reminders.mail.wire import Reply, SenselessReply

_GO_ON, _REFUSED, _CLOSING = 354, 400, 421
_DOT = b".\r\n"


@dataclasses.dataclass(frozen=True, slots=True)
class Deadlines:
    """How long each step may take as a whole, in seconds.

    The answer to the dot has ten minutes (RFC 5321 4.5.3.2.6): a shorter wait makes messages unknown that were
    accepted. Everything before it shares the rest of `transaction`, so that this wait is never cut short.
    """

    connect: float = 30
    banner: float = 60
    command: float = 60
    dot_reply: float = 600
    transaction: float = 900
    quit: float = 5

    @property
    def before_dot(self) -> float:
        """What envelope and body may take together; also what opening the connection may."""
        return self.transaction - self.dot_reply


class SmtpSession:
    """One open connection; see `reminders.mail.transport.Session` for what its steps promise."""

    def __init__(self, conversation: Conversation, deadlines: Deadlines) -> None:
        self._conversation = conversation
        self._wire = conversation.wire
        self._deadlines = deadlines
        self._usable = True
        self._dot_sent = False
        self._settled: Outcome | None = None

    @property
    def dot_sent(self) -> bool:
        """Whether the dot of the present message may have reached the server."""
        return self._dot_sent

    def envelope(self, sender: str, recipient: str) -> Outcome | None:
        """MAIL and RCPT. The whole transaction's time begins here."""
        self._dot_sent, self._settled = False, None
        self._wire.limit(self._deadlines.before_dot)
        for phase, address in ((Phase.MAIL, sender), (Phase.RCPT, recipient)):
            if not fits_in_a_path(address):
                return Outcome(Verdict.NEVER, Blame.MESSAGE, phase)
        server = self._conversation
        return self._ask(Phase.MAIL, server.mail, sender) or self._ask(Phase.RCPT, server.rcpt, recipient)

    def body(self, content: bytes) -> Outcome | None:
        """DATA and everything but the dot."""
        lines = content.replace(b"\r\n", b"")
        if b"\r" in lines or b"\n" in lines:  # some servers take a lone one for a line end, and find a second message
            return Outcome(Verdict.NEVER, Blame.MESSAGE, Phase.BODY)
        if refused := self._ask(Phase.DATA, self._conversation.docmd, "DATA"):
            return refused
        whole = content if content.endswith(b"\r\n") else content + b"\r\n"
        stuffed = (b"." if whole.startswith(b".") else b"") + whole.replace(b"\r\n.", b"\r\n..")
        try:
            self._wire.write(stuffed)
        except OSError:
            return self._cut_short(Phase.BODY)
        return self._cut_short(Phase.BODY) if self._wire.spoke_unasked() else None

    def dot(self) -> None:
        """Write the dot, unless the server has already spoken or gone: then it cannot accept, and that is certain."""
        self._wire.limit(self._deadlines.dot_reply)
        if not self._usable or self._wire.spoke_unasked():
            self._settled = self._cut_short(Phase.DOT)
            return
        self._dot_sent = True
        try:
            taken = self._wire.write_once(_DOT, self._deadlines.command)
        except OSError:  # nothing of it has left this machine
            self._dot_sent = False
            self._settled = self._drop(lost(Phase.DOT, dot_sent=False))
            return
        if taken < len(_DOT):
            self._write_rest_of_dot(taken)

    def _write_rest_of_dot(self, taken: int) -> None:
        try:
            self._wire.write(_DOT[taken:])
        except OSError:
            self._settled = self._drop(lost(Phase.DOT, dot_sent=True))

    def answered(self, seconds: float) -> bool:
        """Wait for the answer to the dot, at most `seconds`."""
        return self._settled is not None or not self._dot_sent or self._wire.answered(seconds)

    def reply(self) -> Outcome:
        """Read the answer to the dot."""
        if self._settled is None:
            self._settled = self._read_answer() if self._dot_sent else self._cut_short(Phase.DOT)
        return self._settled

    def abandon(self) -> None:
        """Close at once: a server that saw no dot accepts nothing."""
        self._usable = False
        self._conversation.close()

    def reset(self) -> bool:
        """RSET; asks even after a finished message, to notice a server that has had enough of this connection."""
        if not self._usable:
            return False
        self._wire.limit(self._deadlines.command)
        if self._wire.spoke_unasked():
            self.abandon()
            return False
        return self._ask(Phase.MAIL, self._conversation.rset) is None

    def close(self) -> None:
        """QUIT, and close. Whatever the server answers, what it accepted stays accepted."""
        if self._usable:
            self._wire.limit(self._deadlines.quit)
            with contextlib.suppress(OSError, SenselessReply):
                self._conversation.quit()
        self.abandon()

    def _ask(self, phase: Phase, command: Callable[..., tuple[int, bytes]], *arguments: str) -> Outcome | None:
        """Send a command before the dot; return `None` where the server agreed, else how the transaction ended."""
        if not self._usable:
            return lost(phase, dot_sent=False)
        try:
            reply = Reply(*command(*arguments))
        except (OSError, SenselessReply):
            return self._drop(lost(phase, dot_sent=False))
        if reply.code >= _REFUSED:
            return self._refused(phase, reply)
        agreed = reply.code == _GO_ON if phase is Phase.DATA else _is_consent(reply)
        return None if agreed else self._drop(lost(phase, dot_sent=False))

    def _read_answer(self) -> Outcome:
        try:
            reply = self._wire.reply(self._deadlines.dot_reply)
        except (OSError, SenselessReply):
            return self._drop(lost(Phase.DOT, dot_sent=True))
        if reply.code >= _REFUSED:
            return self._refused(Phase.DOT, reply)
        if not _is_consent(reply):
            return self._drop(lost(Phase.DOT, dot_sent=True))
        return Outcome(Verdict.ACCEPTED, None, Phase.DOT, reply.code, enhanced_code(reply.code, reply.first_line))

    def _refused(self, phase: Phase, reply: Reply) -> Outcome:
        outcome = refusal(phase, reply.code, reply.first_line)
        return self._drop(outcome) if reply.code == _CLOSING else outcome

    def _cut_short(self, phase: Phase) -> Outcome:
        """Return how it ended when the server spoke, or went, before the dot; the connection is dropped."""
        try:
            self._wire.spoke_unasked()  # takes in what has arrived, also when the time is up
            reply = self._wire.reply(self._deadlines.command)
        except (OSError, SenselessReply):
            return self._drop(lost(phase, dot_sent=False))
        if reply.code < _REFUSED:
            return self._drop(lost(phase, dot_sent=False))
        said = refusal(Phase.BODY, reply.code, reply.first_line)  # the same, whether noticed before the fence or behind
        return self._drop(dataclasses.replace(said, phase=phase))

    def _drop(self, outcome: Outcome) -> Outcome:
        self.abandon()
        return outcome


def _is_consent(reply: Reply) -> bool:
    return reply.code // 100 == 2  # noqa: PLR2004 - the first digit says it, RFC 5321 4.2.1
