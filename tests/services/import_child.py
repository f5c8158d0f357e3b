"""Runs an import in a program of its own that kills itself at a stated point: the way a power cut would.

Arguments: the database, the file, and where to die: `keys N` at the N-th address that is hashed (inside a transaction),
`store N` after N transactions. Prints the peak of its memory in megabytes if it lives.
"""

import os
import signal
import sys
from pathlib import Path

from reminders.services.importing.bring_in import ImportRequest, bring_in
from reminders.services.keys import Keys
from reminders.store.database import Database
from tests.services.import_desk import PEPPER, Clock
from tests.services.import_exports import UK, documented_options
from tests.support.memory import peak_kilobytes


class Mortal:
    """Kills the program when it is asked often enough."""

    def __init__(self, lives: int) -> None:
        self.lives = lives

    def lose_one(self) -> None:
        self.lives -= 1
        if self.lives == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalKeys(Keys):
    """Keys that die of being used."""

    def __init__(self, mortal: Mortal) -> None:
        super().__init__(PEPPER)
        self._mortal = mortal

    def address_key(self, normalised: str) -> str:
        self._mortal.lose_one()
        return super().address_key(normalised)


def main(url: str, path: str, where: str, lives: str) -> None:
    """Import `path` as the documentation says for the British shape."""
    mortal = Mortal(int(lives) if where == "store" else 0)
    keys = MortalKeys(Mortal(int(lives))) if where == "keys" else Keys(PEPPER)
    database = Database(url, audit_key=keys.audit_key)

    def listen(stage: str, done: int, total: int | None) -> None:
        assert total is None or done <= total
        if stage == "store":
            mortal.lose_one()

    options = documented_options(UK.values)
    bring_in(database, Clock(), keys, ImportRequest(Path(path), "clinic", **options), listen)  # type: ignore[arg-type]
    sys.stdout.write(f"{peak_kilobytes() // 1024}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
