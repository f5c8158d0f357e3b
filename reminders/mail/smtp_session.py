"""Hands messages over on one open SMTP connection (RFC 5321), with the final dot as a step of its own.

Invariant: until `dot` has been called the server cannot have accepted the message; after it, only a clear answer counts
as one, and a dot that certainly did not leave this machine is no dot.
"""

import contextlib
import dataclasses

from reminders.mail.conversation import Conversation, fits_in_a_path
from reminders.mail.outcome import CLOSING, Blame, Outcome, Phase, Verdict, enhanced_code, lost, refusal
from reminders.mail.wire import Reply, SenselessReply

_GO_ON, _REFUSED = 354, 400
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
        self._pipelining = conversation.has_extn("pipelining")
        self._usable = True
        self._commands = (b"", b"", b"")
        self._asked = self._heard = 0
        """How many of the commands were written, and answered; none once the server holds no transaction of ours."""
        self._dot_sent = False
        self._settled: Outcome | None = None

    @property
    def dot_sent(self) -> bool:
        """Whether the dot of the present message may have reached the server."""
        return self._dot_sent

    def begin(self, sender: str, recipient: str) -> None:
        """Write MAIL, with RCPT and DATA behind it where they may go in one group, DATA last (RFC 2920 3.1)."""
        self._dot_sent, self._settled, self._asked, self._heard = False, None, 0, 0
        self._wire.limit(self._deadlines.before_dot)
        for phase, address in ((Phase.MAIL, sender), (Phase.RCPT, recipient)):
            if not fits_in_a_path(address):
                self._settled = Outcome(Verdict.NEVER, Blame.MESSAGE, phase)
                return
        paths = (sender.encode("ascii"), recipient.encode("ascii"))
        self._commands = (b"MAIL FROM:<%b>\r\n" % paths[0], b"RCPT TO:<%b>\r\n" % paths[1], b"DATA\r\n")
        try:
            self._ask()
        except (OSError, SenselessReply):
            self._settled = self._drop(lost(Phase.MAIL, dot_sent=False))

    def agreed(self) -> Outcome | None:
        """Hear what the server says to MAIL and RCPT."""
        self._hear(Phase.MAIL)
        self._hear(Phase.RCPT)
        return self._settled

    def body(self, content: bytes) -> Outcome | None:
        """DATA, unless it was written already, and once the server has said 354 everything but the dot."""
        if _has_a_lone_line_end(content):
            self._settled = self._settled or Outcome(Verdict.NEVER, Blame.MESSAGE, Phase.BODY)
        self._hear(Phase.DATA)
        if self._settled is None:
            self._settled = self._write_body(content)
        return self._settled

    def _write_body(self, content: bytes) -> Outcome | None:
        if self._wire.holds_more:
            return self._cut_short(Phase.BODY)
        whole = content if content.endswith(b"\r\n") else content + b"\r\n"
        stuffed = (b"." if whole.startswith(b".") else b"") + whole.replace(b"\r\n.", b"\r\n..")
        try:
            self._wire.write(stuffed)
        except OSError:
            return self._cut_short(Phase.BODY)
        return None

    def dot(self) -> None:
        """Write the dot, unless the server has already spoken or gone: then it cannot accept, and that is certain."""
        self._wire.limit(self._deadlines.dot_reply)
        if self._settled is None and (not self._usable or self._wire.spoke_unasked()):
            self._settled = self._cut_short(Phase.DOT)
        if self._settled is not None:
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

    def waits_on(self) -> int | None:
        """Return what to watch until the server answers the dot; `None` once `reply` need not wait."""
        in_hand = self._settled is not None or not self._dot_sent or self._wire.answered()
        return None if in_hand else self._wire.descriptor()

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
        """Look whether the server is still there and silent; RSET only where it refused something before.

        After an accepted message there is nothing to reset (RFC 5321 4.1.1.4).
        """
        if self._usable:
            self._wire.limit(self._deadlines.command)
            if self._heard < self._asked or not self._cleared() or self._wire.spoke_unasked():
                self.abandon()
        return self._usable

    def _cleared(self) -> bool:
        if not self._asked:
            return True
        try:
            self._wire.ask(b"RSET\r\n", self._deadlines.command)
            cleared = _is_consent(self._wire.reply())
        except (OSError, SenselessReply):
            return False
        self._asked = self._heard = 0
        return cleared

    def close(self) -> None:
        """QUIT, and close. Whatever the server answers, what it accepted stays accepted."""
        if self._usable and self._heard == self._asked:
            self._wire.limit(self._deadlines.quit)
            with contextlib.suppress(OSError, SenselessReply):
                self._conversation.quit()
        self.abandon()

    def _ask(self) -> None:
        """Write the next command, or all that are left where the server takes them in one group."""
        end = len(self._commands) if self._pipelining else self._asked + 1
        self._wire.ask(b"".join(self._commands[self._asked : end]), self._deadlines.command)
        self._asked = end

    def _hear(self, phase: Phase) -> None:
        """Hear what the server says to a command of the envelope; any word but consent ends the transaction."""
        if self._settled is None:
            self._settled = self._said_to(phase) if self._usable else lost(phase, dot_sent=False)

    def _said_to(self, phase: Phase) -> Outcome | None:
        try:
            if self._heard == self._asked:
                self._ask()
            reply = self._wire.reply(None if phase is Phase.MAIL else self._deadlines.command)
        except (OSError, SenselessReply):
            return self._drop(lost(phase, dot_sent=False))
        self._heard += 1
        if reply.code >= _REFUSED:
            refused = self._refused(phase, reply)
            return refused if self._in_step() else self._drop(lost(phase, dot_sent=False))
        agreed = reply.code == _GO_ON if phase is Phase.DATA else _is_consent(reply)
        return None if agreed else self._drop(lost(phase, dot_sent=False))

    def _in_step(self) -> bool:
        """Hear what the server says to commands behind a refused one; false where its replies do not belong to them.

        It refuses them too. If it waits for a message nevertheless, it is left before it gets one (RFC 2920 3.1 would
        end an empty one with a dot; without a dot there is nothing to accept).
        """
        try:
            while self._usable and self._heard < self._asked:
                reply = self._wire.reply(self._deadlines.command)
                self._heard += 1
                if reply.code < _REFUSED:
                    self.abandon()
                    return reply.code == _GO_ON
        except (OSError, SenselessReply):  # the refusal was clear
            self.abandon()
        return True

    def _read_answer(self) -> Outcome:
        try:
            reply = self._wire.reply(self._deadlines.dot_reply)
        except (OSError, SenselessReply):
            return self._drop(lost(Phase.DOT, dot_sent=True))
        if reply.code >= _REFUSED:
            return self._refused(Phase.DOT, reply)
        if not _is_consent(reply):
            return self._drop(lost(Phase.DOT, dot_sent=True))
        self._asked = self._heard = 0
        return Outcome(Verdict.ACCEPTED, None, Phase.DOT, reply.code, enhanced_code(reply.code, reply.first_line))

    def _refused(self, phase: Phase, reply: Reply) -> Outcome:
        outcome = refusal(phase, reply.code, reply.first_line)
        return self._drop(outcome) if reply.code == CLOSING else outcome

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


def _has_a_lone_line_end(content: bytes) -> bool:
    """Tell whether a CR or LF stands alone: some servers take it for a line end, and find a second message."""
    ends = content.count(b"\r\n")
    return content.count(b"\r") != ends or content.count(b"\n") != ends


def _is_consent(reply: Reply) -> bool:
    return reply.code // 100 == 2  # noqa: PLR2004 - the first digit says it, RFC 5321 4.2.1
