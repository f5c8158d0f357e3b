"""What a rude mail server does instead of answering: each behaviour by its name, for any phase.

Invariant: a behaviour that waits ends with its connection, and none depends on how fast the machine is: what comes "too
late" comes once the other side has given up.
"""

from collections.abc import Callable

from tests.support.chaos_server import USUAL, Act, Over, Script, Talk, pipelining

DRIP_SECONDS = 0.02
LATE_SECONDS = 0.03


def says(content: bytes) -> Act:
    """Say these bytes, and go on."""
    return lambda talk, _: talk.say(content)


def reply(text: str) -> Act:
    """Answer with these lines."""
    return says(text.encode("latin-1") + b"\r\n")


def altered(change: Callable[[bytes], bytes]) -> Act:
    """Answer as usual, but for `change`."""
    return lambda talk, usual: talk.say(change(usual))


def ending(first: Act, *, reset: bool = False, half: bool = False) -> Act:
    """Do the first thing, then close."""

    def act(talk: Talk, usual: bytes) -> None:
        first(talk, usual)
        talk.close(reset=reset, half=half)
        if half:
            talk.listen_on()
        raise Over

    return act


def falling_silent(first: Act) -> Act:
    """Do the first thing, then say nothing more."""

    def act(talk: Talk, usual: bytes) -> None:
        first(talk, usual)
        talk.listen_on()

    return act


def early(phase: str) -> Script:
    """Answer to `phase` before it was asked: together with the phase before it."""
    before = {"ehlo": "banner", "starttls": "ehlo", "auth": "ehlo", "mail": "ehlo", "rcpt": "mail", "data": "rcpt"}
    before |= {"dot": "data", "rset": "dot", "quit": "rset"}
    return {before[phase]: lambda talk, usual: talk.say(usual + USUAL[phase]), phase: _nothing}


def _nothing(_talk: Talk, _usual: bytes) -> None:
    return


def _drip(start: bytes, then: bytes) -> Act:
    """Write a byte at a time, for ever, faster than any limit on a single read."""

    def act(talk: Talk, _usual: bytes) -> None:
        for byte in start:
            talk.say(bytes([byte]))
            talk.over.wait(DRIP_SECONDS)
        while not talk.over.wait(DRIP_SECONDS):
            talk.say(then)

    return act


def _endless(talk: Talk, usual: bytes) -> None:
    """Go on with lines that announce another, for as long as somebody takes them."""
    line = (usual[:3] or b"250") + b"-and another line\r\n"
    while not talk.over.is_set():
        talk.say(line * 200)


def _late(talk: Talk, usual: bytes) -> None:
    talk.over.wait(LATE_SECONDS)
    talk.say(usual)


def _in_pieces(talk: Talk, usual: bytes) -> None:
    talk.say(usual[:2])
    talk.over.wait(LATE_SECONDS)
    talk.say(usual[2:])


def _by_byte(talk: Talk, usual: bytes) -> None:
    for byte in usual:
        talk.say(bytes([byte]))


def _stops_reading(talk: Talk, usual: bytes) -> None:
    talk.say(usual)
    talk.stop_reading()


def _too_late(talk: Talk, usual: bytes) -> None:
    """Answer once the other side has hung up."""
    try:
        talk.listen_on()
    finally:
        talk.say(usual)


def _code(code: bytes) -> Act:
    return altered(lambda usual: code + usual[3:])


def _last(usual: bytes) -> bytes:
    """Return the last line of a reply."""
    return b"".join(usual.splitlines(keepends=True)[-1:])  # nothing, where a server usually says nothing


HARMLESS: dict[str, Act] = {
    "many lines": altered(lambda usual: (usual[:3] + b"-and a line\r\n") * 40 + _last(usual)),
    "a code alone": altered(lambda usual: usual.replace(_last(usual), usual[:3] + b"\r\n")),
    "a lone LF": altered(lambda usual: usual.replace(b"\r\n", b"\n")),
    "letters of all kinds": altered(lambda usual: usual[:-2] + " déjà ñ 訪問".encode() + b"\xff\xfe\r\n"),
    "a NUL in the text": altered(lambda usual: usual[:-2] + b"\0\0\r\n"),
    "a line of 2,000": altered(lambda usual: usual[:-2] + b"x" * 2000 + b"\r\n"),
    "in two pieces": _in_pieces,
    "late, within the limit": _late,
}
"""Behaviours that are odd, and right: the message goes out."""

SENSELESS: dict[str, Act] = {
    "no code": reply("hello there"),
    "an empty line": reply(""),
    "a negative code": reply("-250 ok"),
    "a huge code": reply("25000000000 ok"),
    "two digits": reply("25 ok"),
    "a code without a space": reply("250ok"),
    "a NUL before the code": says(b"\0\x00250 ok\r\n"),
    "binary junk": says(b"\x16\x03\x01\x00\xff\xfe\x80\r\n"),
    "junk without an end": says(b"\xde\xad\xbe\xef" * 3000),
    "the wrong class 1xx": _code(b"150"),
    "the wrong class 6xx": _code(b"650"),
    "the class 0xx": _code(b"050"),
    "a very long line": altered(lambda usual: (usual[:3] or b"250") + b" " + b"x" * 100_000 + b"\r\n"),
    "endless lines": _endless,
    "codes that disagree": reply("250-yes\r\n550 no"),
    "a refusal that ends well": reply("550-no\r\n250 yes"),
    "a web server": says(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
}
"""Answers that are none: nobody can make sense of them."""

BROKEN: dict[str, Act] = {
    "close": ending(_nothing),
    "reset": ending(_nothing, reset=True),
    "half-close": ending(_nothing, half=True),
    "half a line, then close": ending(altered(lambda usual: (usual or b"250 ok")[:5])),
    "half a reply, then close": ending(altered(lambda usual: (usual[:3] or b"250") + b"-more\r\n")),
    "half a reply, then reset": ending(altered(lambda usual: (usual[:3] or b"250") + b"-more\r\n"), reset=True),
}
"""The connection ends without an answer."""

SILENT: dict[str, Act] = {
    "silence": falling_silent(_nothing),
    "half a line, then silence": falling_silent(altered(lambda usual: (usual or b"250 ok")[:5])),
    "half a reply, then silence": falling_silent(altered(lambda usual: (usual[:3] or b"250") + b"-more\r\n")),
    "a lone CR": falling_silent(altered(lambda usual: (usual or b"250 ok\r\n").replace(b"\r\n", b"\r"))),
    "drip": _drip(b"", b"x"),
    "drip of a line": _drip(b"250 ", b"x"),
    "drip of lines": _drip(b"", b"250-and another\r\n"),
    "too late": _too_late,
}
"""The answer never comes, or never ends: only a limit helps."""

AFTERWARDS: dict[str, Act] = {
    "twice": altered(lambda usual: usual + usual),
    "then garbage": altered(lambda usual: usual + b"\x00\xffwhat?\r\n"),
    "then a refusal": altered(lambda usual: usual + b"550 5.7.1 or rather not\r\n"),
    "then close": ending(lambda talk, usual: talk.say(usual)),
    "then reset": ending(lambda talk, usual: talk.say(usual), reset=True),
    "then half-close": ending(lambda talk, usual: talk.say(usual), half=True),
    "then silence": falling_silent(lambda talk, usual: talk.say(usual)),
}
"""The right answer, and then something else."""

STOPS_READING: Act = _stops_reading
"""Says the right thing, and takes in nothing more: what is sent to it fills every buffer on the way."""

OFFERS_PIPELINING: Act = altered(pipelining)

OUT_OF_STEP: dict[str, Script] = {
    "all replies in one": {
        "mail": _nothing,
        "rcpt": _nothing,
        "data": says(USUAL["mail"] + USUAL["rcpt"] + USUAL["data"]),
    },
    "all replies at the first": {"mail": says(USUAL["mail"] + USUAL["rcpt"]), "rcpt": _nothing},
    "byte by byte": dict.fromkeys(("mail", "rcpt", "data", "dot"), _by_byte),
    "one for two": {"mail": _nothing},
    "one for three": {"mail": _nothing, "rcpt": _nothing},
    "two for one": {"mail": altered(lambda usual: usual + usual), "rcpt": altered(lambda usual: usual + usual)},
    "in another order": {"mail": says(USUAL["data"]), "data": says(USUAL["mail"])},
    "refused, and then agreed": {"rcpt": reply("550 5.1.1 no such user")},
    "refused, and then refused": {"rcpt": reply("550 5.1.1 no such user"), "data": reply("503 5.5.1 no recipients")},
    "refused, then something else": {"rcpt": reply("550 5.1.1 no such user"), "data": reply("250 ok")},
    "refused, then nonsense": {"rcpt": reply("550 5.1.1 no such user"), "data": reply("what?")},
    "refused, then gone": {"rcpt": reply("550 5.1.1 no such user"), "data": ending(_nothing)},
    "refused twice for one": {"rcpt": reply("550 5.1.1 no such user\r\n550 5.1.1 I said no")},
    "MAIL refused, and then agreed": {"mail": reply("451 4.3.0 not now")},
    "all refused": {
        "mail": reply("451 4.3.0 not now"),
        "rcpt": reply("503 first MAIL"),
        "data": reply("503 first MAIL"),
    },
    "taken before it is there": {"data": says(USUAL["data"] + USUAL["dot"])},
    "closing within": {"rcpt": ending(lambda talk, usual: talk.say(usual + b"421 4.3.2 closing\r\n"))},
}
"""What goes wrong only where several commands come at once, or matters only there."""

BEHAVIOURS = HARMLESS | SENSELESS | BROKEN | SILENT | AFTERWARDS
