"""Makes the responses of the pages: HTML in a language, the neutral page, and a sentence for whatever went wrong.

Invariant: the neutral page and the sentences know nothing of the address they answer, so equal wishes get equal bytes.
"""

from collections.abc import Sequence
from http import HTTPStatus

from litestar import HttpMethod, MediaType, Request, Response, route
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from reminders.web.looks import Looks
from reminders.web.speech import Speech, wished_language

Asked = Request[None, None, State]
"""A request to the pages: no user, no session."""

_NEUTRAL = "neutral"
_TROUBLE = {
    HTTPStatus.BAD_REQUEST: "bad",
    HTTPStatus.MISDIRECTED_REQUEST: "bad",
    HTTPStatus.NOT_FOUND: _NEUTRAL,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "bad",
    HTTPStatus.TOO_MANY_REQUESTS: "many",
    HTTPStatus.INTERNAL_SERVER_ERROR: "fault",
    HTTPStatus.SERVICE_UNAVAILABLE: "fault",
}
"""What a person reads, by status; any other of 400 to 499 is "bad"."""


def page(content: str, status: int = HTTPStatus.OK) -> Response[str]:
    """Return a page."""
    return Response(content, status_code=status, media_type=MediaType.HTML)


def neutral(request: Asked, looks: Looks, status: int = HTTPStatus.NOT_FOUND) -> Response[str]:
    """Return the one page behind every link that is unknown, old, erased or malformed."""
    return trouble(request, looks, status, words=_NEUTRAL)


def trouble(request: Asked, looks: Looks, status: int, *, words: str | None = None) -> Response[str]:
    """Return the page for a status, in the language the browser wishes."""
    return page(trouble_page(looks, status, request.headers.get("accept-language"), words=words), status)


def trouble_page(looks: Looks, status: int, accept_language: str | None, *, words: str | None = None) -> str:
    """Return the words of such a page."""
    usual = "bad" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "fault"
    key = words or _TROUBLE.get(HTTPStatus(status), usual)
    return looks.fill("neutral.html", Speech(wished_language(accept_language)), words=key)


def methods(paths: Sequence[str]) -> HTTPRouteHandler:
    """Return the route that tells what may be done with a link; it has to be a path's first.

    The framework's own, which it adds to a path's first route, does not know the POST of its second.
    """

    @route(list(paths), http_method=HttpMethod.OPTIONS, status_code=HTTPStatus.NO_CONTENT, sync_to_thread=False)
    def tell() -> Response[None]:
        return Response(None, status_code=HTTPStatus.NO_CONTENT, headers={"Allow": "GET, HEAD, OPTIONS, POST"})

    return tell


def plain(text: str, status: int = HTTPStatus.OK) -> Response[str]:
    """Return plain text, for programs and robots."""
    return Response(text, status_code=status, media_type=MediaType.TEXT)
