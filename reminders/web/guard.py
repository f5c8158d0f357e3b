"""Stands before every page: lets in who may come, and puts the security headers on whatever goes out.

Invariant: no response leaves without the headers, also not an error of the framework or of our own; a fault is logged
by its kind and place, never with a path, a header or a value (a path holds a patient's token).
"""

import logging
import traceback
from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, cast

from litestar.enums import ScopeType
from litestar.exceptions import HTTPException

from reminders.web.limits import Allowance, counted_as
from reminders.web.looks import Looks
from reminders.web.responses import trouble_page

if TYPE_CHECKING:
    from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

Headers = tuple[tuple[bytes, bytes], ...]

SECURITY: tuple[tuple[str, str], ...] = (
    (
        "Content-Security-Policy",
        "; ".join(
            (
                *("default-src 'none'", "style-src 'self'", "img-src 'self'", "form-action 'self'"),
                *("base-uri 'none'", "frame-ancestors 'none'"),
            )
        ),
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Robots-Tag", "noindex, nofollow, noarchive"),
    ("Permissions-Policy", "camera=(), geolocation=(), interest-cohort=(), microphone=(), payment=(), usb=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
ONLY_HTTPS = ("Strict-Transport-Security", "max-age=31536000")
_OURS_TO_SET = frozenset({b"cache-control"})  # a style sheet may be kept; nothing else is up to a page
_FRAMED = _OURS_TO_SET | {b"content-security-policy", b"x-frame-options"}  # a message has styles of its own
_NEVER_SENT = frozenset({b"server", b"set-cookie"})
CROWDED = "crowded"
"""What the server sets in a request's state while too many are connected."""

_FOR_MACHINES = frozenset({"/healthz", "/readyz"})  # asked by address, whatever the site is called
_COME_AGAIN = ((b"retry-after", b"10"), (b"connection", b"close"))
_LOG = logging.getLogger("reminders.web")


@dataclass(frozen=True, slots=True)
class Gate:
    """How much one address may ask, by what it asks."""

    looks: Allowance
    answers: Allowance
    one_clicks: Allowance

    def wait(self, scope: "HTTPScope") -> int:
        """Return 0, or after how many seconds the client may come again.

        What counts is the room in which the routing would look; an address that is none of ours counts as a look.
        """
        room = next((part for part in scope["path"].split("/") if part), "")
        if room not in ("p", "u") and is_whole(scope["path"]):
            return 0
        client = counted_as(scope["client"][0] if scope["client"] else None)
        if scope["method"] != "POST" or room not in ("p", "u"):
            return self.looks.wait(client)
        return (self.answers if room == "p" else self.one_clicks).wait(client)


def is_whole(path: str) -> bool:
    """Tell whether a path has no empty part: the routing would overlook one, so that `//p` passed for `/p`."""
    root, *parts = path.split("/")
    return path == "/" or (not root and all(parts))


@dataclass(frozen=True, slots=True)
class Guard:
    """An ASGI application around another; `hosts` None lets every name in.

    Below `framed`, which is the demo's inbox and nothing in a real installation, a page brings its own content policy.
    """

    inner: "ASGIApp"
    looks: Looks
    gate: Gate
    hosts: Collection[str] | None
    only_https: bool
    framed: str | None = None

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one request."""
        if scope["type"] != ScopeType.HTTP:
            await self.inner(scope, receive, send)
            return
        await self._answer(scope, receive, send)

    async def _answer(self, scope: "HTTPScope", receive: "Receive", send: "Send") -> None:
        own = _FRAMED if self.framed and scope["path"].startswith(f"{self.framed}/") else _OURS_TO_SET
        out = _Out(send, self._headers(), own, silent=scope["method"] == "HEAD")
        try:
            if not self._is_our_name(scope):
                await self._refuse(scope, out, HTTPStatus.MISDIRECTED_REQUEST)
            elif _is_crowded(scope):
                await self._refuse(scope, out, HTTPStatus.SERVICE_UNAVAILABLE, *_COME_AGAIN)
            elif seconds := self.gate.wait(scope):
                await self._refuse(scope, out, HTTPStatus.TOO_MANY_REQUESTS, (b"retry-after", str(seconds).encode()))
            elif not is_whole(scope["path"]):
                await self._refuse(scope, out, HTTPStatus.NOT_FOUND)
            else:
                await self.inner(scope, receive, out.send)
        except Exception as error:  # noqa: BLE001 - the last line: whatever it is, a person gets a page
            log_fault(error)
            if not out.begun:
                await self._refuse(scope, out, HTTPStatus.INTERNAL_SERVER_ERROR)

    def _headers(self) -> Headers:
        wanted = (*SECURITY, ONLY_HTTPS) if self.only_https else SECURITY
        return tuple((name.lower().encode(), value.encode()) for name, value in wanted)

    def _is_our_name(self, scope: "HTTPScope") -> bool:
        if self.hosts is None or scope["path"] in _FOR_MACHINES:
            return True
        named = [value for name, value in scope["headers"] if name == b"host"]
        return len(named) == 1 and named[0].decode("latin-1").lower() in self.hosts

    async def _refuse(self, scope: "HTTPScope", out: "_Out", status: int, *more: tuple[bytes, bytes]) -> None:
        wish = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
        content = trouble_page(self.looks, status, wish.decode("latin-1")).encode()
        headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(content)).encode())]
        start = {"type": "http.response.start", "status": int(status), "headers": [*headers, *more]}
        await out.send(cast("Message", start))
        await out.send(cast("Message", {"type": "http.response.body", "body": content, "more_body": False}))


def _is_crowded(scope: "HTTPScope") -> bool:
    """Tell whether to refuse for want of room; machines are told that we live, lest they end a process under siege."""
    return bool(scope.get("state", {}).get(CROWDED)) and scope["path"] not in _FOR_MACHINES


class _Out:
    """Sends one response with the headers on it, but for its `own`; a `silent` one (HEAD) without its body."""

    def __init__(self, send: "Send", headers: Headers, own: Collection[bytes], *, silent: bool) -> None:
        self._send, self._headers, self._own, self._silent = send, headers, own, silent
        self.begun = False

    async def send(self, message: "Message") -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            message["headers"] = _guarded(message["headers"], self._headers, self._own)
        elif self._silent and message["type"] == "http.response.body":
            message["body"] = b""
        await self._send(message)


def _guarded(given: object, ours: Headers, may_set: Collection[bytes]) -> list[tuple[bytes, bytes]]:
    own = [(name.lower(), value) for name, value in cast("list[tuple[bytes, bytes]]", given)]
    kept = {name for name, _ in own if name in may_set}
    fixed = {name for name, _ in ours} - kept
    passed = [(name, value) for name, value in own if name not in fixed and name not in _NEVER_SENT]
    return passed + [(name, value) for name, value in ours if name not in kept]


def log_fault(error: BaseException) -> None:
    """Log what nobody foresaw: its kind, and where in the product it happened."""
    if not isinstance(error, HTTPException):
        _LOG.error("A page failed: %s at %s.", type(error).__name__, _place(error.__traceback__))


def _place(trace: TracebackType | None) -> str:
    place = "an unknown place"
    for frame, line in traceback.walk_tb(trace):
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("reminders."):
            place = f"{module}:{line}"
    return place
