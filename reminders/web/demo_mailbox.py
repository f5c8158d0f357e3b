"""Shows what the patients of the sample clinic received, each message as on a telephone and as on a desk.

Invariant: it exists in the demo alone, and only reads. A message stands in a frame that runs nothing and loads nothing;
its links, and those of its text, lead to this machine, where the real message names the clinic's https address.
"""

import base64
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from litestar import MediaType, Response, route
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from reminders import paths
from reminders.mail.compose import Parts, parts
from reminders.web.health import LOOKS
from reminders.web.looks import Looks
from reminders.web.responses import Asked, page
from reminders.web.speech import Html, Speech

RECEIVED = "/received"
MOST_SHOWN = 200
_PICTURE = re.compile(r"cid:[^\"'<>\s]+")
_FRAME = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
    ),
    "X-Frame-Options": "SAMEORIGIN",
}
_AROUND = {"Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'"}


@dataclass(frozen=True, slots=True)
class Received:
    """One message as the inbox kept it; `number` counts them in the order in which they came."""

    number: int
    to: str
    sender: str
    subject: str
    date: str
    text: str


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The inbox's folder, and the address that stands in the messages where this machine stands in for it."""

    folder: Path
    link_base: str

    def newest(self) -> Iterator[Received]:
        """Yield the newest messages, newest first."""
        for path in sorted(self.folder.glob("*.eml"), reverse=True)[:MOST_SHOWN]:
            if path.stem.isdigit():
                yield _received(path)

    def one(self, number: int) -> Received:
        """Return one message; raises `NotFoundException`."""
        return _received(self._path(number))

    def letter(self, number: int, here: str) -> str:
        """Return a message's HTML with its links leading to `here`, and opening beside it."""
        content = self._path(number).read_bytes()
        shown = parts(content).html.replace(self.link_base, here)
        shown = shown.replace("<a ", '<a target="_blank" rel="noopener" ')
        return _PICTURE.sub(lambda _: _picture(content), shown)

    def text(self, received: Received, here: str) -> Html:
        """Return a message's text with its links to the pages leading to `here`, and to be clicked."""
        link = re.compile(rf"{re.escape(html.escape(self.link_base))}(/[pu]/[\w~.-]+)")
        return Html(
            link.sub(
                rf'<a href="\1" target="_blank" rel="noopener">{html.escape(here)}\1</a>', html.escape(received.text)
            )
        )

    def _path(self, number: int) -> Path:
        path = self.folder / f"{number:04}.eml"
        if not path.is_file():
            raise NotFoundException
        return path


def mailbox_pages(mailbox: Mailbox, looks: Looks) -> list[HTTPRouteHandler]:
    """Return the routes of the inbox: the list at `/`, and each message below `RECEIVED`."""
    sheet = (paths.templates() / "web" / "demo" / "mailbox.css").read_bytes()

    @route("/", http_method=LOOKS, sync_to_thread=True)
    def everything() -> Response[str]:
        return page(looks.fill("demo/mailbox.html", Speech("en"), received=list(mailbox.newest())))

    @route(f"{RECEIVED}/{{number:int}}", http_method=LOOKS, sync_to_thread=True)
    def one(request: Asked, number: FromPath[int]) -> Response[str]:
        found = mailbox.one(number)
        text = mailbox.text(found, str(request.base_url).rstrip("/"))
        shown = looks.fill("demo/received.html", Speech("en"), one=found, text=text, base=mailbox.link_base)
        response = page(shown)
        response.headers.update(_AROUND)
        return response

    @route(f"{RECEIVED}/{{number:int}}/letter", http_method=LOOKS, sync_to_thread=True)
    def letter(number: FromPath[int]) -> Response[str]:
        return Response(mailbox.letter(number, ""), media_type=MediaType.HTML, headers=_FRAME)

    @route(f"{RECEIVED}/style.css", http_method=LOOKS, sync_to_thread=False)
    def style() -> Response[bytes]:
        return Response(sheet, media_type=MediaType.CSS)

    return [everything, one, letter, style]


def _received(path: Path) -> Received:
    read: Parts = parts(path.read_bytes())
    head = dict(read.headers)
    return Received(
        number=int(path.stem),
        to=head.get("To", ""),
        sender=head.get("From", ""),
        subject=read.subject,
        date=head.get("Date", ""),
        text=read.text,
    )


def _picture(content: bytes) -> str:
    """Return the picture that a message brings, as an address that needs nothing else."""
    message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
    for part in message.walk():
        if part.get_content_maintype() == "image":
            kept = base64.b64encode(part.get_payload(decode=True)).decode()  # type: ignore[arg-type] # bytes, once decoded
            return f"data:{part.get_content_type()};base64,{kept}"
    return "data:,"
