"""A small mail server that accepts everything and keeps nothing: for machines without postfix, and for slow answers.

Usage: python -m benchmarks.own_sink DELAY_MS. It listens on 127.0.0.1, prints its port, offers PIPELINING, holds each
answer back for DELAY_MS, and ends with SIGTERM.
"""

import asyncio
import signal
import sys

_END = b"\r\n.\r\n"
_OFFERS = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 50000000\r\n"
_ANSWERS = {
    b"EHLO": _OFFERS,
    b"HELO": b"250 sink\r\n",
    b"MAIL": b"250 ok\r\n",
    b"RCPT": b"250 ok\r\n",
    b"RSET": b"250 ok\r\n",
    b"NOOP": b"250 ok\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


class Conversation(asyncio.Protocol):
    """One connection; answers leave in the order of their commands, those to one packet in one write."""

    def __init__(self, delay_s: float) -> None:
        """Answer `delay_s` after what is answered."""
        self._delay = delay_s
        self._heard, self._in_body = b"", False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._answer(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Take what came, and answer what is whole in it."""
        self._heard += data
        answers = b""
        while True:
            answer = self._body() if self._in_body else self._command()
            if answer is None:
                break
            answers += answer
        if answers:
            self._answer(answers)

    def _command(self) -> bytes | None:
        line, ended, rest = self._heard.partition(b"\r\n")
        if not ended:
            return None
        self._heard = rest
        verb = line[:4].upper()
        if verb == b"DATA":
            self._in_body = True
            self._heard = b"\r\n" + self._heard  # a body may be empty: its end then begins with the command's own
        return _ANSWERS.get(verb, b"502 what?\r\n")

    def _body(self) -> bytes | None:
        at = self._heard.find(_END)
        if at < 0:
            self._heard = self._heard[-len(_END) :]
            return None
        self._heard, self._in_body = self._heard[at + len(_END) :], False
        return b"250 accepted\r\n"

    def _answer(self, answers: bytes) -> None:
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._write, answers)
        else:
            self._write(answers)

    def _write(self, answers: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(answers)
        if answers.endswith(_ANSWERS[b"QUIT"]):
            self._transport.close()


async def serve(delay_s: float) -> None:
    """Serve until SIGTERM."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    server = await loop.create_server(lambda: Conversation(delay_s), "127.0.0.1", 0, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await over.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]) / 1000))
