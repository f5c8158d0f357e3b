"""Builds the pages of one opened product as an ASGI application; nothing is made at import.

Invariant: whatever a handler raises becomes a page without details: what a person sent is 400, what the database
cannot do now is 503, and the rest is 500 and in the log.
"""

from collections.abc import Callable, Collection
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from litestar import Litestar, Response
from litestar.exceptions import HTTPException

from reminders.app import App
from reminders.errors import BadInput, CannotDo, DatabaseNotReady, RemindersError
from reminders.settings import Settings
from reminders.web.demo_mailbox import RECEIVED, Mailbox, mailbox_pages
from reminders.web.forms import LARGEST_BODY, MOST_FIELDS
from reminders.web.guard import Gate, Guard, log_fault
from reminders.web.health import machine_pages
from reminders.web.limits import Allowance, Limits
from reminders.web.looks import Looks
from reminders.web.patient_pages import patient_pages
from reminders.web.responses import Asked, trouble
from reminders.web.stop_pages import stop_pages
from reminders.web.writers import Writers

if TYPE_CHECKING:
    from litestar.types import ASGIApp

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_AGAIN_IN_S = "30"
_USUAL_PORTS = {"http": 80, "https": 443}


def build_site(
    app: App,
    limits: Limits | None = None,
    place: str | None = None,
    mailbox: Mailbox | None = None,
    clock_lives: Callable[[], bool] | None = None,
) -> "ASGIApp":
    """Return the pages of `app`, as they listen on `place` (HOST:PORT; by default the settings').

    With a `mailbox`, which only the demo has, also what came into it. `clock_lives` tells whether the clock of this
    process ticks, if it has one.
    """
    limits = limits or Limits()
    base = urlsplit(app.settings.base_url or "")
    looks = Looks(base.path)
    writers = Writers(limits.writers, limits.writer_wait_s)
    inner = Litestar(
        [
            *patient_pages(app, looks, writers),
            *stop_pages(app, looks, writers),
            *machine_pages(app, looks, clock_lives),
            *(mailbox_pages(mailbox, looks) if mailbox else ()),
        ],
        exception_handlers={Exception: _handler(looks)},
        request_max_body_size=LARGEST_BODY,
        multipart_form_part_limit=MOST_FIELDS,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    counts = (Allowance(app.clock, most) for most in (limits.looks, limits.answers, limits.one_clicks))
    hosts, framed = known_hosts(app.settings, place), RECEIVED if mailbox else None
    only_https = base.scheme == "https" and mailbox is None  # the demo's own address is plain http, on this machine
    return Guard(inner, looks, Gate(*counts), hosts, only_https=only_https, framed=framed)


def known_hosts(settings: Settings, place: str | None = None) -> Collection[str] | None:
    """Return the values of `Host` that are ours: the public name, and this machine's own; None lets every name in.

    Every name passes only where nothing says what we are called: on all addresses of the machine, without a base URL.
    """
    host, _, port = (place or settings.listen).rpartition(":")
    base = urlsplit(settings.base_url or "")
    if not base.netloc and _is_everywhere(host):
        return None
    ours = {f"{name}:{port}" for name in (*_LOOPBACK, host)}
    if port == str(_USUAL_PORTS["http"]):
        ours |= {*_LOOPBACK, host}
    if base.hostname:
        name = f"[{base.hostname}]" if ":" in base.hostname else base.hostname
        usual = _USUAL_PORTS.get(base.scheme)
        ours |= {f"{name}:{base.port or usual}"} | ({name} if base.port in (None, usual) else set())
    return frozenset(name.lower() for name in ours)


def _is_everywhere(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def _handler(looks: Looks) -> Callable[[Asked, Exception], Response[str]]:
    def respond(request: Asked, error: Exception) -> Response[str]:
        status = _status_of(error)
        if not isinstance(error, BadInput):
            log_fault(error)
        response = trouble(request, looks, status)
        if isinstance(error, HTTPException):
            response.headers.update({name: value for name, value in (error.headers or {}).items() if name == "allow"})
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            response.headers["Retry-After"] = _AGAIN_IN_S
        return response

    return respond


def _status_of(error: Exception) -> int:
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, CannotDo | DatabaseNotReady):
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.BAD_REQUEST if isinstance(error, RemindersError) else HTTPStatus.INTERNAL_SERVER_ERROR
