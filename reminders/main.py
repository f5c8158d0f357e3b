"""The entry point of the program `reminders`: binds the faces together, and hands over to the one that was asked for.

Invariant: a face is loaded when it is asked for, so that help stays quick; only this module knows more than one.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from reminders.cli.session import Session
from reminders.cli.shell import run

if TYPE_CHECKING:
    from reminders.app import App


class WebPages:
    """The pages for browsers, as the command line is handed them."""

    def serve(self, app: "App", listening: Callable[[str], None]) -> None:
        """Serve the pages until the process is asked to end."""
        from reminders.log import opened_log  # noqa: PLC0415 - as below
        from reminders.web.serve import serve  # noqa: PLC0415 - only this command needs a web server

        with opened_log(app.settings.log, app.clock):
            serve(app, listening)

    def demo(self, app: "App", place: str, inbox: Path) -> AbstractContextManager[str]:
        """Serve the pages and the sample's inbox on HOST:PORT while the context lasts; gives their address."""
        from reminders.web.demo_mailbox import Mailbox  # noqa: PLC0415 - as above
        from reminders.web.serve import served  # noqa: PLC0415 - as above

        return served(app, place, mailbox=Mailbox(inbox, app.settings.link_base or ""))


class Clock:
    """The clock, and the clock with the pages, as the command line is handed them."""

    def work(self, app: "App", began: Callable[[], None]) -> None:
        """Keep the clock until the process is asked to end."""
        from reminders.worker.clockwork import work  # noqa: PLC0415 - only this command needs a scheduler

        work(app, began)

    def run(self, app: "App", pages: "App", listening: Callable[[str], None]) -> None:
        """Keep the clock on `app`, and serve the pages on `pages` from the main thread.

        A signal stops both at once: the clock claims nothing more while the pages give their last answers.
        """
        from reminders.log import opened_log  # noqa: PLC0415 - as above
        from reminders.stopping import Stop, on_signals  # noqa: PLC0415 - as above
        from reminders.web.serve import Here, serve  # noqa: PLC0415 - as above
        from reminders.worker.clockwork import ticking  # noqa: PLC0415 - as above

        stop = Stop()
        with (
            on_signals(stop),
            opened_log(app.settings.log, app.clock) as log,
            ticking(app, log, stop) as clock,
        ):
            serve(pages, listening, here=Here(lambda: clock.healthy, stop.heard))


def main() -> None:
    """Run the command line."""
    run(Session(pages=WebPages(), duty=Clock()))


if __name__ == "__main__":
    main()
