"""The page behind a stop link, `/u/{token}`: a button for a person, and the one-click POST of RFC 8058 for a program.

Invariant: GET and HEAD only look; a POST of `List-Unsubscribe=One-Click` acts at once, asks for nothing else and is
answered alike whatever the link. Done twice it is done once.
"""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from litestar import HttpMethod, Response, post, route
from litestar.concurrency import sync_to_thread
from litestar.handlers import HTTPRouteHandler

from reminders.app import App
from reminders.services.answering.answer import StopPage
from reminders.web.forms import ONE_CLICK, UnreadableForm, posted
from reminders.web.looks import Looks
from reminders.web.patient_pages import token_of
from reminders.web.patient_view import contact_of
from reminders.web.responses import Asked, methods, neutral, page
from reminders.web.speech import Speech
from reminders.web.writers import Writers

PATHS = ["/u", "/u/{token:str}"]
ACT = "act"
_Act = Callable[[str], StopPage | None]


def stop_pages(app: App, looks: Looks, writers: Writers) -> list[HTTPRouteHandler]:
    """Return the routes of the stop page."""
    acts: dict[str, _Act] = {
        "stop": partial(app.stop, everything=False),
        "stop_all": partial(app.stop, everything=True),
        "again": app.allow_again,
    }

    @route(PATHS, http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def look(request: Asked) -> Response[str]:
        found = await sync_to_thread(app.stop_page, token_of(request))
        return neutral(request, looks) if found is None else page(_filled(looks, found))

    @post(PATHS, status_code=HTTPStatus.OK)
    async def stop(request: Asked) -> Response[str]:
        fields = await posted(request, multipart=True)
        one_click = fields.get(ONE_CLICK[0], "").rstrip("\r\n") == ONE_CLICK[1]  # some end their body as a line
        name = "stop" if one_click else fields.get(ACT, "")
        if name not in acts:
            raise UnreadableForm(problem="it asks for nothing")
        found = await sync_to_thread(app.stop_page, token_of(request))
        if found is not None:  # an unknown link never waits for the database's writer
            found = await writers.run(acts[name], token_of(request))
        if found is None:
            return neutral(request, looks, HTTPStatus.OK if one_click else HTTPStatus.NOT_FOUND)
        return page(_filled(looks, found, again=name == "again"))

    return [methods(PATHS), look, stop]


def _filled(looks: Looks, found: StopPage, *, again: bool = False) -> str:
    speech = Speech(found.language)
    scopes = found.stopped & {"all", found.class_name}
    return looks.fill(
        "stop.html",
        speech,
        colour=found.colour,
        page=found,
        contact=contact_of(found, speech),
        everything="all" in scopes,
        stopped=bool(scopes),
        again=again and not scopes,
    )
