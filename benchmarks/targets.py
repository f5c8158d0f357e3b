"""The floors and goals that the measured ratios are held against, in the order of the page's table.

Invariant: a target is judged by the median of ratios that were each taken within one round, the worse database first.
"""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["goal", "floor", "missed"]


@dataclass(frozen=True, slots=True)
class Target:
    """One row: what is measured, and its two marks. `at_least` says whether more is better."""

    key: str
    what: str
    floor: float
    goal: float
    floor_words: str
    goal_words: str
    at_least: bool = True
    unit: Literal["×", "%", "MB", ""] = "×"

    def verdict(self, value: float) -> Verdict:
        """Say which mark a value reaches."""
        for mark, name in ((self.goal, "goal"), (self.floor, "floor")):
            if value >= mark if self.at_least else value <= mark:
                return "goal" if name == "goal" else "floor"
        return "missed"

    def shown(self, value: float) -> str:
        """Return a value as the table shows it."""
        if self.unit == "%":
            return f"{value:.1%}"
        if self.unit == "×":
            return f"1/{1 / value:.3g}" if self.floor < 1 and value else f"{value:.3g}×"
        return f"{value:,.0f} {self.unit}".strip()


TARGETS = (
    Target("post_office", "end to end / django-post_office, 2 processes each", 6, 12, "≥ 6×", "≥ 12×"),
    Target("smtp_source", "end to end / smtp-source -s 8 -d", 0.15, 0.30, "≥ 15 %", "≥ 30 %", unit="%"),
    Target("prebuilt", "end to end / prebuilt bytes, smtplib, 2 processes", 0.35, 0.80, "≥ 35 %", "≥ 80 %", unit="%"),
    Target("builder", "builder CPU / `EmailMessage`", 1 / 10, 1 / 50, "≤ 1/10", "≤ 1/50", at_least=False),
    Target("planning", "planning inserts / raw executemany or COPY", 0.25, 0.50, "≥ 25 %", "≥ 50 %", unit="%"),
    Target("idle_tick", "an idle tick, many planned / few planned", 2, 1.2, "≤ 2×", "≤ 1.2×", at_least=False),
    Target("message_cost", "cost per message, many rows behind / few", 1.5, 1.1, "≤ 1.5×", "≤ 1.1×", at_least=False),
    Target("workers", "4 processes on PostgreSQL / 1, answers in 20 ms", 3.5, 3.9, "≥ 3.5×", "≥ 3.9×"),
    Target("import_speed", "import / csv → raw executemany of the same rows", 0.20, 0.40, "≥ 20 %", "≥ 40 %", unit="%"),
    Target("import_memory", "import, resident memory", 200, 200, "< 200 MB", "< 200 MB", at_least=False, unit="MB"),
    Target("lost", "reminders lost of those due at one moment", 0, 0, "0", "0", at_least=False, unit=""),
    Target("startup", '`reminders --help` / `python -c "import typer"`', 2, 1.2, "≤ 2×", "≤ 1.2×", at_least=False),
)
