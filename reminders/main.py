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
        from reminders.web.serve import serve  # noqa: PLC0415 - only this command needs a web server

        serve(app, listening)

    def demo(self, app: "App", place: str, inbox: Path) -> AbstractContextManager[str]:
        """Serve the pages and the sample's inbox on HOST:PORT while the context lasts; gives their address."""
        from reminders.web.demo_mailbox import Mailbox  # noqa: PLC0415 - as above
        from reminders.web.serve import served  # noqa: PLC0415 - as above

        return served(app, place, mailbox=Mailbox(inbox, app.settings.link_base or ""))


def main() -> None:
    """Run the command line."""
    run(Session(pages=WebPages()))


if __name__ == "__main__":
    main()
