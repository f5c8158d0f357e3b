"""Shows the whole product on a sample clinic: its own database, its own inbox, nothing leaves the machine.

Invariant: it writes into one folder, which is empty, missing or an earlier sample; whatever else a folder holds is left
alone.
"""

import datetime as dt
import json
import os
import random
import shlex
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from reminders.app import App, init, open_app
from reminders.cli.demo_acts import Actor, MovableClock
from reminders.cli.demo_report import Scene, report
from reminders.cli.output import progress, say
from reminders.cli.session import Pages
from reminders.clock import Clock, SystemClock
from reminders.errors import CannotDo
from reminders.mail.compose import parts
from reminders.mail.inbox import Inbox
from reminders.services.sample.cast import MAILBOXES
from reminders.services.sample.clinic import DAYS, sample
from reminders.settings import CONFIG_FILE, KEY_FILE, Settings, load_settings

USUAL_FOLDER = Path("demo")
MARK = "# The settings of a sample clinic, made by `reminders demo`, which may make it anew."
_DATABASE = "reminders.db"
_OURS = (_DATABASE, f"{_DATABASE}-wal", f"{_DATABASE}-shm", KEY_FILE, "willow.csv", "harbour.csv", "peel-medium.yaml")
LINK_BASE = "https://reminders.willow.example"
"""What the links of the messages begin with, as on a real installation; the demo's own pages stand in for it."""

_PLACES = ("127.0.0.1:8000", "127.0.0.1:0")  # the usual port, else any that is free
_DAY = dt.timedelta(days=1)
_ROUND = 16
_SEED = 1


class NotASample(CannotDo):
    """The folder {folder} holds something that is no sample clinic: name another one with --dir."""


class UnusablePath(CannotDo):
    """The sample cannot be kept in {folder}, whose path holds a question mark: name another one with --dir."""


def demo(
    directory: Path | None = None, *, once: bool = False, clock: Clock | None = None, pages: Pages | None = None
) -> None:
    """Make the sample clinic in a folder, and tell how it stands.

    On a terminal its inbox stays open until Ctrl-C, and with it the pages that the links of the messages lead to.
    """
    clock = clock or SystemClock()
    present = clock.now()
    folder = _prepared((directory or USUAL_FOLDER).absolute())
    config, letters = folder / CONFIG_FILE, folder / "inbox"
    with Inbox(letters, MAILBOXES) as inbox:
        settings = _settings(config, inbox.url)
        stands_at = MovableClock(present - (DAYS + 7) * _DAY)
        init(settings, stands_at)
        chance = random.Random(_SEED)  # noqa: S311 - spreads retries over minutes, and is no secret
        with open_app(settings, stands_at, chance=chance) as app:
            story = sample(present, app.protocols())
            actor = Actor(app, stands_at, folder, present)
            with progress("Two months at the clinic", as_json=False) as told:
                actor.play(story, told)
            report(Scene(app, actor.counts, _program(), _near(config), _near(letters), story.shown, present))
        stays = not once and sys.stdout.isatty()
        _where(folder, inbox if stays else None)
        if stays:
            with open_app(settings, clock) as app, _open_pages(pages, app, letters):
                _wait(inbox)
        _write_config(config, f"file:{letters}")


def _prepared(folder: Path) -> Path:
    """Return the folder, empty but for the mark that it is ours; raises `NotASample`."""
    if "?" in str(folder):
        raise UnusablePath(folder=folder)
    config, letters = folder / CONFIG_FILE, folder / "inbox"
    if folder.exists() and not (folder.is_dir() and (_is_ours(config) or not any(folder.iterdir()))):
        raise NotASample(folder=_near(folder))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_config(config, f"file:{letters}")
    for path in (*(folder / name for name in _OURS), *(letters.iterdir() if letters.is_dir() else ())):
        path.unlink(missing_ok=True)
    return folder


def _is_ours(config: Path) -> bool:
    try:
        return config.read_text(encoding="utf-8").startswith(MARK)
    except (OSError, UnicodeDecodeError):
        return False


def _write_config(config: Path, smtp_url: str) -> None:
    folder = config.parent
    values = {
        "database_url": f"sqlite:///{folder / _DATABASE}",
        "secret_key_file": str(folder / KEY_FILE),
        "smtp_url": smtp_url,
        "base_url": LINK_BASE,
    }
    lines = (f"{name} = {json.dumps(value)}" for name, value in values.items())  # a JSON text is one of TOML's too
    config.write_text("\n".join((MARK, *lines)) + "\n", encoding="utf-8")


def _settings(config: Path, smtp_url: str) -> Settings:
    """Return the sample's settings, which owe nothing to this shell's environment."""
    _write_config(config, smtp_url)
    folder = config.parent
    return load_settings(
        config,
        database_url=f"sqlite:///{folder / _DATABASE}",
        secret_key_file=folder / KEY_FILE,
        secret_key=(),
        smtp_url=smtp_url,
        base_url=LINK_BASE,
        lease_s=60,
        round=_ROUND,
        log="text",
    )


def _where(folder: Path, inbox: Inbox | None) -> None:
    """Say where everything lies, and what to mind before the commands are tried."""
    said = sorted(name for name in os.environ if name.startswith("REMINDERS_") and name != "REMINDERS_DEBUG")
    say()
    if said:
        names = " ".join(said)
        say(f"This shell sets {names}, which goes before the sample's settings: first type `unset {names}`.")
    place = _near(folder)
    say(f"Settings: {place / CONFIG_FILE}   Database: {place / _DATABASE}   Messages: {place / 'inbox'}")
    if inbox is None:
        say("The inbox is closed now; what is delivered from here on is written into the same folder.")
    else:
        say(f"The inbox stays open on 127.0.0.1:{inbox.port}. Try the commands in a second terminal; Ctrl-C ends it.")


@contextmanager
def _open_pages(pages: Pages | None, app: App, letters: Path) -> Iterator[None]:
    """Serve what patients received, and the pages behind the links, while the context lasts."""
    with ExitStack() as stack:
        if pages is not None:
            address = _served(stack, pages, app, letters)
            say()
            say(f"What patients received, as they see it, with links that work: {address}")
        yield


def _served(stack: ExitStack, pages: Pages, app: App, letters: Path) -> str:
    usual, any_free = _PLACES
    try:
        return stack.enter_context(pages.demo(app, usual, letters))
    except CannotDo:  # another program has the usual port
        return stack.enter_context(pages.demo(app, any_free, letters))


def _wait(inbox: Inbox) -> None:
    """Tell of every message that comes in, until Ctrl-C."""

    def tell(path: Path) -> None:
        say(f"Received {path.name}: {parts(path.read_bytes()).subject}")

    inbox.arrived = tell
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        say()
        say("The inbox is closed; what is delivered from here on is written into the same folder.")


def _near(path: Path) -> Path:
    """Return a path as one would type it here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _program() -> str:
    """Return how this program is called from here: by its name where the shell finds it."""
    called, found = Path(sys.argv[0]), shutil.which("reminders")
    if called.name != "reminders" or not called.exists() or (found and Path(found).samefile(called)):
        return "reminders"
    return shlex.quote(str(_near(called.absolute())))
