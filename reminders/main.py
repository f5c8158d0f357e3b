"""The entry point of the program `reminders`: binds the faces together, and hands over to the one that was asked for.

Invariants: a face is loaded when it is asked for, so that help stays quick; only this module knows more than one.
Nothing at all is loaded outside of a function: Ctrl-C finds what answers it in a line from the first moment on.
"""

TYPE_CHECKING = False  # typing's own takes ten milliseconds to load
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import NoReturn

    from reminders.app import App
    from reminders.cli.session import Opens
    from reminders.services.engine import Engine
    from reminders.settings import Settings

_ENDED = "Ended by Ctrl-C."
_INTERRUPTED = 130


class WebPages:
    """The pages for browsers, as the command line is handed them."""

    def serve(self, app: "App", listening: "Callable[[str], None]") -> None:
        """Serve the pages until the process is asked to end."""
        from reminders.log import opened_log  # noqa: PLC0415 - as below
        from reminders.web.serve import serve  # noqa: PLC0415 - only this command needs a web server

        with opened_log(app.settings.log, app.clock):
            serve(app, listening)

    def demo(self, app: "App", place: str, inbox: "Path") -> "AbstractContextManager[str]":
        """Serve the pages and the sample's inbox on HOST:PORT while the context lasts; gives their address."""
        from reminders.web.demo_mailbox import Mailbox  # noqa: PLC0415 - as above
        from reminders.web.serve import served  # noqa: PLC0415 - as above

        return served(app, place, mailbox=Mailbox(inbox, app.settings.link_base or ""))


class Clock:
    """The clock, and the clock with the pages, as the command line is handed them."""

    def work(self, settings: "Settings", opens: "Opens", began: "Callable[[App], None]") -> None:
        """Keep the clock until the process is asked to end."""
        from reminders.worker.clockwork import work  # noqa: PLC0415 - only this command needs a scheduler

        work(settings.log, opens, began)

    def run(
        self, settings: "Settings", opens: "Opens", opens_pages: "Opens", listening: "Callable[[App, str], None]"
    ) -> None:
        """Keep the clock, and serve the pages from the main thread.

        Nothing ticks before the pages have their place: whoever starts the program twice learns it from that. A signal
        stops both at once: the clock claims nothing more while the pages give their last answers.
        """
        from contextlib import closing  # noqa: PLC0415 - as above

        from reminders.web.serve import Here, open_door, serve  # noqa: PLC0415 - as above
        from reminders.worker.clockwork import on_duty, ticking  # noqa: PLC0415 - as above

        with (
            on_duty(settings.log) as duty,
            duty.opened(opens, opens_pages) as (app, pages),
            closing(open_door(settings.listen)) as door,
            ticking(app, duty.log, duty.stop) as clock,
        ):
            here = Here(lambda: clock.healthy, duty.stop.heard, duty.stop.asked)
            serve(pages, lambda address: listening(app, address), here=here, door=door)


def bound_engine(settings: "Settings") -> "Engine | None":
    """Return what shares work among several machines: on PostgreSQL, where the extra `distributed` is installed.

    Raises `NoEngine` where REMINDERS_ENGINE asks for one that there cannot be.
    """
    from importlib.util import find_spec  # noqa: PLC0415 - as above

    if settings.engine == "local":
        return None
    if not settings.database_url.startswith("sqlite:") and find_spec("procrastinate") is not None:
        from reminders.worker.distributed import Procrastinate  # noqa: PLC0415 - its library is an extra

        return Procrastinate()
    if settings.engine == "distributed":
        from reminders.services.engine import NoEngine  # noqa: PLC0415 - as above

        raise NoEngine
    return None


def main() -> "NoReturn":
    """Run the command line; being interrupted while it is loaded, or about to end, is told in a line."""
    try:
        from reminders.cli.session import Session  # noqa: PLC0415 - see the invariant
        from reminders.cli.shell import run  # noqa: PLC0415 - as above

        run(Session(pages=WebPages(), duty=Clock(), engine=bound_engine))
    except KeyboardInterrupt:
        _interrupted()


def _interrupted() -> "NoReturn":
    """End at once: a library that was loaded by half, or Ctrl-C pressed again, has nothing more to say."""
    import os  # noqa: PLC0415 - as above

    os.write(2, f"{_ENDED}\n".encode())
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
