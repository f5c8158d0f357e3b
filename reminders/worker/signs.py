"""What the ticks show of themselves while they run, for the watchdog and for who waits for them to end.

Invariant: a sign is a number that only grows; reading it needs no lock that a stuck tick could hold.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Signs:
    """How many signs of life were shown in all, and by each tick that runs; `ended` counts the ticks that did.

    `unrecorded` is how many answers of mail servers the delivery has in hand that the database has not taken yet.
    """

    shown: int = 0
    ended: int = 0
    unrecorded: int = 0
    running: dict[str, int] = field(default_factory=dict)
    _asked: dict[str, int] = field(default_factory=dict)

    def begin(self, name: str) -> None:
        """Note that a tick runs."""
        self._asked.pop(name, None)
        self.running[name] = 0

    def beat(self, name: str) -> None:
        """Note that a running tick goes on."""
        self.shown += 1
        if name in self.running:
            self.running[name] += 1

    def go_on(self, name: str) -> None:
        """Note that something goes on that is no tick: it says nothing of whether the clock still ticks."""
        if name in self.running:
            self.running[name] += 1

    def went_on(self, name: str) -> bool:
        """Tell whether a tick runs, and showed a sign of life since this was last asked of it, or since it began."""
        sign = self.running.get(name, 0)
        before, self._asked[name] = self._asked.get(name, 0), sign
        return sign > before

    def hold(self, answers: int) -> None:
        """Note how many answers are in hand that would be lost with the process."""
        self.unrecorded = answers

    def end(self, name: str) -> None:
        """Note that a tick has ended, however it did."""
        self.running.pop(name, None)
        self.shown += 1
        self.ended += 1
