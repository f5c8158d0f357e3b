"""The patients' pages for tests: served for real on this machine, over a real database, behind links of real mails.

Invariant: a token comes out of a delivered mail, as a patient's does; nothing is read past the pages but rows.
"""

import asyncio
import email.policy
import re
import sqlite3
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any, cast

import httpx2

from reminders.app import App
from reminders.mail.folder import FolderTransport
from reminders.settings import Settings
from reminders.store import installation
from reminders.web.limits import Limits
from reminders.web.serve import served
from reminders.web.site import build_site
from tests.support.clinic import INVITED_AT, LINKS, FakeClock, Office, with_one_treated

FREE_PLACE = "127.0.0.1:0"
GENEROUS = Limits(looks=1_000_000, answers=1_000_000, one_clicks=1_000_000)
_TOKEN = re.compile(rf"{re.escape(LINKS)}/(p|u)/([\w.~-]+)")


@dataclass(frozen=True, slots=True)
class Letter:
    """A delivered mail, and the tokens of its two links."""

    content: EmailMessage
    request: str
    stop: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back from a site in this process."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        found = [value for given, value in self.headers if given == name]
        assert len(found) < 2, f"{name} stands twice"
        return found[0] if found else None


def app_of(office: Office, **settings: object) -> App:
    """Return the product over an office's database; its base URL is that of the links in the office's mails."""
    given = {"base_url": LINKS, "secret_key": "a key that only the tests of the pages know", **settings}
    return App(Settings(**given), office.database, office.keys, office.clock)  # type: ignore[arg-type]  # pydantic checks them


def installed_app_of(office: Office) -> App:
    """Return the product over an office's database, which `reminders init` made as far as the product can tell."""
    with office.write() as tx:
        if installation.installation(tx) is None:
            installation.save_installation(tx, "an-installation", b"a wrapped pepper")
    return app_of(office)


def letters(office: Office, folder: Path) -> list[Letter]:
    """Deliver what is due into `folder` and return every letter that lies there."""
    office.deliver(FolderTransport(folder), 16)
    return letters_in(folder)


def letters_in(folder: Path) -> list[Letter]:
    """Return every letter that was delivered into `folder`."""
    return [_read(path) for path in sorted(folder.glob("*.eml"))]


def invited(office: Office, folder: Path) -> Letter:
    """Let the invitation of an office's one patient go out, and return it."""
    office.clock.set(INVITED_AT)
    office.plan()
    [letter] = letters(office, folder)
    return letter


def with_one_invited(url: str) -> None:
    """Make an SQLite database with one treated patient who was invited, to be copied; see `beside` for the letter."""
    with_one_treated(url)
    with closing(Office(url, FakeClock(), seed=-1)) as office:  # whose tokens are nobody else's
        invited(office, beside(Path(url.removeprefix("sqlite:///"))))


def beside(file: Path) -> Path:
    """Return where the letters of a database that was made to be copied lie."""
    return file.with_suffix(".letters")


def _read(path: Path) -> Letter:
    content = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(path.read_bytes())
    part = content.get_body(("plain",))
    assert part is not None
    found = dict(_TOKEN.findall(part.get_content()))
    return Letter(content, found["p"], found["u"])


def rows(office: Office) -> tuple[str, ...]:
    """Return everything the database holds."""
    with closing(sqlite3.connect(office.database.address.removeprefix("sqlite:///"))) as connection:
        return tuple(connection.iterdump())


@contextmanager
def browsing(app: App, limits: Limits | None = None) -> Iterator[httpx2.Client]:
    """Serve the pages on a free port, and give a client that follows nothing and keeps no cookie."""
    with (
        served(app, FREE_PLACE, limits) as address,
        httpx2.Client(base_url=address, timeout=30, verify=False) as client,
    ):
        yield client


class Site:
    """The pages in this process, for what no client would send; `ask` speaks to them as a server does."""

    def __init__(self, app: App, limits: Limits = GENEROUS) -> None:
        self._site = build_site(app, limits)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._loop.shutdown_default_executor(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | list[bytes] = b"",
        headers: dict[str, str] | None = None,
        client: str = "192.0.2.1",
    ) -> Reply:
        given = {"host": "127.0.0.1:8000", **(headers or {})}
        chunks = body if isinstance(body, list) else [body]
        asked = self._exchange(method, path, chunks, given, client)
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result(60)

    def post(self, path: str, form: str, **given: Any) -> Reply:  # noqa: ANN401 - handed to `ask`
        """Post a form as a browser does."""
        headers = {"content-type": "application/x-www-form-urlencoded", **given.pop("headers", {})}
        return self.ask("POST", path, body=form.encode(), headers=headers, **given)

    async def _exchange(
        self, method: str, path: str, chunks: list[bytes], headers: dict[str, str], client: str
    ) -> Reply:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(errors="surrogatepass"),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": (client, 50_000),
            "server": ("127.0.0.1", 8000),
        }
        left, sent = list(chunks), list[MutableMapping[str, Any]]()

        async def receive() -> MutableMapping[str, Any]:
            content = left.pop(0) if left else b""
            return {"type": "http.request", "body": content, "more_body": bool(left)}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await self._site(cast("Any", scope), cast("Any", receive), cast("Any", send))
        start = sent[0]
        found = tuple((name.decode(), value.decode("latin-1")) for name, value in start["headers"])
        return Reply(start["status"], found, b"".join(message.get("body", b"") for message in sent[1:]))
