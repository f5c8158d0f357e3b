"""Gives a clinic the logo that travels with its messages, or takes it away.

Invariant: only what `prepare_logo` drew anew is kept; a file that is refused leaves the stored logo as it was.
"""

from pathlib import Path

from reminders.errors import BadInput
from reminders.mail.logo import LARGEST_FILE, prepare_logo
from reminders.store import logos
from reminders.store.database import Transaction


class NoLogoFile(BadInput):
    """--logo: the file cannot be opened ({problem}): check its name."""


def change_logo(tx: Transaction, clinic_id: int, path: Path | None) -> bool:
    """Keep the picture in a file as the clinic's logo, or with None take the logo away; return whether it changed.

    Raises `NoLogoFile`, `LogoRefused`.
    """
    if path is None:
        return logos.set_logo(tx, clinic_id, None)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)  # one more than is taken, and a device never fills the memory
    except OSError as error:
        raise NoLogoFile(problem=error.strerror or "it cannot be read") from None
    made = prepare_logo(content)
    return logos.set_logo(
        tx, clinic_id, logos.StoredLogo(made.digest, made.media_type, made.width, made.height, made.content)
    )
