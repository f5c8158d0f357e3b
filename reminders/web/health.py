"""What machines ask for: whether the process lives, whether it can work, the style sheets, and what robots may read.

Invariants: none of it tells anything about the installation but yes or no; whether we live is answered whatever state
the database is in.
"""

import asyncio
import datetime as dt
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from litestar import HttpMethod, MediaType, Response, route
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler

from reminders.app import App
from reminders.clock import Monotonic, SystemMonotonic
from reminders.web.looks import COLOURS, STYLES, Looks, colour_digits, colour_sheet
from reminders.web.responses import Asked, plain

LOOKS = [HttpMethod.GET, HttpMethod.HEAD]
_ASKED_ANEW = dt.timedelta(seconds=1)
_PATIENCE_S = 5
_GIVEN_UP_AFTER = 3
"""After so many patiences a question hangs on a connection that is dead, or on a server that stands still."""
_MOST_THREADS = 4
"""So many threads may hang in one question: once they do, what comes of them is waited for."""
_FOR_EVER = "public, max-age=31536000, immutable"  # its name changes with its content
_FOR_A_DAY = "public, max-age=86400"


@dataclass(slots=True)
class Known:
    """The answer to a question to the database; asked at most once a second, and once at a time, however many probe.

    Where it is not answered within `patience_s`, or by an error, the answer is `unanswered`. One that hangs for longer
    than three patiences is left to its thread and asked anew, over new connections; it has threads of its own, since
    those that hang would keep the pages from theirs, and the process from its end.
    """

    app: App
    question: Callable[[], bool]
    unanswered: bool
    patience_s: float = _PATIENCE_S
    time: Monotonic = field(default_factory=SystemMonotonic)
    asked: "asyncio.Future[bool] | None" = None
    _since: dt.datetime | None = None
    _began: float = 0.0
    _threads: int = 0

    async def now(self) -> bool:
        """Return the answer, at most a second old."""
        if self.asked is None or self._is_old(self.asked):
            self.asked = self._ask(anew=False)
        elif self._hangs(self.asked) and self._threads < _MOST_THREADS:
            self.asked = self._ask(anew=True)
        asked = self.asked
        await asyncio.wait([asked], timeout=self.patience_s)
        return asked.result() if asked.done() else self.unanswered

    def _is_old(self, asked: "asyncio.Future[bool]") -> bool:
        return asked.done() and (self._since is None or abs(self.app.clock.now() - self._since) >= _ASKED_ANEW)

    def _hangs(self, asked: "asyncio.Future[bool]") -> bool:
        return not asked.done() and self.time.monotonic() - self._began >= _GIVEN_UP_AFTER * self.patience_s

    def _ask(self, *, anew: bool) -> "asyncio.Future[bool]":
        """Ask in a thread, `anew` over new connections; no answer is ever an exception, which nobody might take."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool] = loop.create_future()

        def ended(found: bool) -> None:  # noqa: FBT001 - the loop hands it over
            self._threads -= 1
            answer.set_result(found)

        def run() -> None:
            found = self.unanswered
            with suppress(Exception):
                if anew:
                    self.app.connect_anew()
                found = self.question()
            with suppress(RuntimeError):  # the loop is over, and nobody asks any more
                loop.call_soon_threadsafe(ended, found)

        self._since, self._began = self.app.clock.now(), self.time.monotonic()
        self._threads += 1
        try:
            threading.Thread(target=run, name="health", daemon=True).start()
        except RuntimeError:  # no thread is to be had
            ended(self.unanswered)
        return answer


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
