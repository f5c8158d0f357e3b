"""Speaks SMTP by the standard library's client, over a connection whose every wait ends.

Invariant: smtplib knows the commands around messages (EHLO and its extensions, AUTH, QUIT) and `Wire` alone touches the
socket; so no command outlasts its deadline, and no message goes through smtplib's `data`, which writes body and dot in
one and could not tell whether the dot was sent.
"""

import re
import smtplib
import ssl

from reminders.mail.wire import Reply, SenselessReply, Wire

_MECHANISMS = ("PLAIN", "LOGIN")  # not CRAM-MD5: it hides nothing more under TLS, and is at a loss with other letters

_PATH = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+", re.ASCII)


class Conversation(smtplib.SMTP):
    """What client and server say on one `Wire`. Its calls raise what those of the wire do.

    `timeout` is for a command and its reply together, in seconds, however the reply drips.
    """

    ehlo_msg = "EHLO"

    def __init__(self, wire: Wire, greeting: str, timeout: float) -> None:
        """Go on over a connected wire; nothing is looked up and nothing is said yet."""
        super().__init__(local_hostname=greeting, timeout=timeout)  # without a name, smtplib would ask DNS for ours
        self.wire = wire

    def send(self, s: object) -> None:
        """Write one command, which is text: bytes would be a message, and that goes by the wire."""
        if not isinstance(s, str):
            raise TypeError
        self.wire.ask(s.encode(self.command_encoding), self.timeout)

    def getreply(self) -> Reply:
        """Return the reply to the last command, whole and well formed."""
        return self.wire.reply()

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        self.wire.close()

    def secure(self, context: ssl.SSLContext, host: str, seconds: float) -> None:
        """Go on over TLS, verified for `host`, and forget what was said in the clear (RFC 3207 4.2)."""
        self.wire.secure(context, host, seconds)
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False

    def log_in(self, user: str, password: str) -> int | None:
        """Return the code of the server's last word, 235 for yes; `None` where no mechanism is known to both.

        One mechanism is tried, once: smtplib would try each that is offered, and a password that was changed would lock
        the account the sooner.
        """
        offered = self.esmtp_features.get("auth", "").upper().split()
        chosen = next((mechanism for mechanism in _MECHANISMS if mechanism in offered), "")
        self.esmtp_features["auth"] = chosen
        try:
            return self.login(user, password, initial_response_ok=chosen == "PLAIN")[0]
        except smtplib.SMTPAuthenticationError as refused:
            return refused.smtp_code
        except smtplib.SMTPException:  # nothing that both know, or a server that asks again and again
            return None
        except ValueError:  # a challenge that is no base64
            raise SenselessReply from None
        finally:
            self.user = self.password = ""

    def auth_plain(self, challenge: object = None) -> str:
        """Return user and password in one, as UTF-8 (RFC 4616)."""
        del challenge  # it is empty
        return _InUtf8(super().auth_plain())

    def auth_login(self, challenge: object = None) -> str:
        """Return the user, and when asked again the password, as UTF-8."""
        return _InUtf8(super().auth_login(None if challenge is None else b""))


class _InUtf8(str):
    """Letters of any script, where smtplib asks for those of ASCII only."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        del encoding
        return super().encode("utf-8", errors)


def fits_in_a_path(address: str) -> bool:
    """Tell whether MAIL and RCPT would name this very mailbox: no quotes, comments, routes or second addresses."""
    return _PATH.fullmatch(address) is not None
