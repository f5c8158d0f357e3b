"""Where the files that travel with the code are: templates, migrations, the unit for systemd.

One rule: beside the package in `_data` (an installed wheel), else in the checkout that holds the package.
"""

import functools
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


@functools.cache
def _data(name: str) -> Path:
    installed = _PACKAGE / "_data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def templates() -> Path:
    """Return the folder of the message templates and the starter catalogue."""
    return _data("templates")


def service_unit() -> Path:
    """Return the unit by which systemd keeps the program."""
    return _data("deploy") / "reminders.service"


def migrations() -> Path:
    """Return the folder of the Alembic environment."""
    return _data("alembic")
