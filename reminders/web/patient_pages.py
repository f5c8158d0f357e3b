"""The patient's page, `/p/{token}`: what may be said to the clinic, one form per answer, and what was said before.

Invariant: GET and HEAD only look; an answer is a POST, acts once, and leads back to the page by 303, so that a reload
repeats nothing. Whoever holds the link is the patient as far as this page goes: there is no cookie, hence no session to
ride on (CSRF). Whatever stands where a token would is looked up once.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import quote

from litestar import HttpMethod, Response, post, route
from litestar.concurrency import sync_to_thread
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from reminders.app import App
from reminders.services.answering.answer import PatientPage, ReplyRefused
from reminders.web.forms import TAKE_BACK, WRITE_AGAIN, TypedForm, posted, reply_of, typed_form
from reminders.web.looks import Looks
from reminders.web.patient_view import (
    Mistake,
    contact_of,
    is_stranger,
    kept_of,
    later_choices,
    mistake,
    month_choices,
    practitioner_choices,
    standing_of,
    stopped_of,
    typing_of,
)
from reminders.web.responses import Asked, methods, neutral, page
from reminders.web.speech import Speech
from reminders.web.writers import Writers

PATHS = ["/p", "/p/{token:str}"]


def patient_pages(app: App, looks: Looks, writers: Writers) -> list[HTTPRouteHandler]:
    """Return the routes of the patient's page."""

    @route(PATHS, http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def look(request: Asked) -> Response[str]:
        found = await sync_to_thread(app.patient_page, token_of(request))
        return neutral(request, looks) if found is None else page(filled(looks, found))

    @post(PATHS)
    async def answer(request: Asked) -> Response[str]:
        fields, token = await posted(request), token_of(request)
        undo = {TAKE_BACK: app.take_back, WRITE_AGAIN: app.resume}.get(fields.get("kind", ""))
        form = None if undo else typed_form(fields)
        found = await sync_to_thread(app.patient_page, token)  # an unknown link never waits for the database's writer
        if found is None:
            return neutral(request, looks)
        try:
            kept = await writers.run(undo or _recorder(app, form), token)
        except ReplyRefused as refused:
            return page(filled(looks, found, form, refused.facts), HTTPStatus.UNPROCESSABLE_ENTITY)
        return neutral(request, looks) if kept is None else _back_to(token)

    return [methods(PATHS), look, answer]


def token_of(request: Asked) -> str:
    """Return what stands where a token would; whatever it is, it can be hashed."""
    typed = str(request.path_params.get("token", ""))
    return typed.encode(errors="replace").decode()


def filled(
    looks: Looks, found: PatientPage, form: TypedForm | None = None, refused: Mapping[str, object] | None = None
) -> str:
    """Return the page; with a refused form, that form as it was typed and what is wrong with it."""
    speech = Speech(found.language)
    wrong = mistake(form, refused, speech) if form and refused else Mistake()
    return looks.fill(
        "patient.html",
        speech,
        colour=found.colour,
        page=found,
        contact=contact_of(found, speech),
        standing=standing_of(found, speech),
        stopped=stopped_of(found, speech),
        stranger=is_stranger(found),
        seers=practitioner_choices(found, speech),
        later=later_choices(found),
        months=month_choices(found),
        kept=kept_of(found),
        typed=typing_of(found, form if refused else None),
        wrong=wrong,
    )


def _recorder(app: App, form: TypedForm | None) -> Callable[[str], PatientPage | None]:
    return lambda token: app.answer(token, reply_of(form)) if form else None


def _back_to(token: str) -> Redirect:
    """Return the way back to the page, told from the page itself: a proxy may serve us under another path."""
    return Redirect(quote(token, safe=""), status_code=HTTP_303_SEE_OTHER)
