"""What machines ask for: whether the process lives, whether it can work, the style sheets, and what robots may read.

Invariants: none of it tells anything about the installation but yes or no; whether we live is answered whatever state
the database is in.
"""

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from litestar import HttpMethod, MediaType, Response, route
from litestar.concurrency import sync_to_thread
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler

from reminders.app import App
from reminders.web.looks import COLOURS, STYLES, Looks, colour_digits, colour_sheet
from reminders.web.responses import Asked, plain

LOOKS = [HttpMethod.GET, HttpMethod.HEAD]
_ASKED_ANEW = dt.timedelta(seconds=1)
_PATIENCE_S = 5
_FOR_EVER = "public, max-age=31536000, immutable"  # its name changes with its content
_FOR_A_DAY = "public, max-age=86400"


@dataclass(slots=True)
class Known:
    """The answer to a question to the database; asked at most once a second, and once at a time, however many probe.

    Where it is not answered within `patience_s`, or by an error, the answer is `unanswered`.
    """

    app: App
    question: Callable[[], bool]
    unanswered: bool
    patience_s: float = _PATIENCE_S
    asked: "asyncio.Future[bool] | None" = None
    _since: dt.datetime | None = None

    async def now(self) -> bool:
        """Return the answer, at most a second old."""
        asked, present = self.asked, self.app.clock.now()
        if asked is None or (asked.done() and (self._since is None or abs(present - self._since) >= _ASKED_ANEW)):
            self._since = present
            asked = self.asked = asyncio.ensure_future(sync_to_thread(self.question))
        await asyncio.wait([asked], timeout=self.patience_s)
        if not asked.done() or asked.cancelled() or asked.exception() is not None:
            return self.unanswered
        return asked.result()


def machine_pages(app: App, looks: Looks, clock_lives: Callable[[], bool] | None = None) -> list[HTTPRouteHandler]:
    """Return the routes for machines; `clock_lives` tells of the clock in this process, if there is one."""
    readiness, ticking = Known(app, app.is_ready, unanswered=False), Known(app, app.is_anybody_ticking, unanswered=True)

    @route("/healthz", http_method=LOOKS)
    async def alive() -> Response[str]:
        if clock_lives() if clock_lives else await ticking.now():
            return plain("alive\n")
        return plain("not alive\n", HTTPStatus.SERVICE_UNAVAILABLE)

    @route("/readyz", http_method=LOOKS)
    async def ready() -> Response[str]:
        if await readiness.now():
            return plain("ready\n")
        return plain("not ready\n", HTTPStatus.SERVICE_UNAVAILABLE)

    @route("/robots.txt", http_method=LOOKS, sync_to_thread=False)
    def robots() -> Response[str]:
        return plain("User-agent: *\nDisallow: /\n")

    @route("/favicon.ico", http_method=LOOKS, status_code=HTTPStatus.NO_CONTENT, sync_to_thread=False)
    def icon() -> Response[None]:
        return Response(None, status_code=HTTPStatus.NO_CONTENT, headers={"Cache-Control": _FOR_A_DAY})

    @route(f"{STYLES}/{looks.style_name}", http_method=LOOKS, sync_to_thread=False)
    def style() -> Response[bytes]:
        return _sheet(looks.style, _FOR_EVER)

    @route(f"{COLOURS}/{{name:str}}", http_method=LOOKS, sync_to_thread=False)
    def colour(request: Asked) -> Response[bytes]:
        name = str(request.path_params["name"])
        digits = colour_digits(name.removesuffix(".css"))
        if digits is None or name != f"{digits}.css":
            raise NotFoundException
        return _sheet(colour_sheet(digits).encode(), _FOR_A_DAY)

    return [alive, ready, robots, icon, style, colour]


def _sheet(content: bytes, kept: str) -> Response[bytes]:
    return Response(content, media_type=MediaType.CSS, headers={"Cache-Control": kept})
