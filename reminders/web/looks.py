"""Fills the page templates, and makes the two style sheets they ask for.

Invariant: no page holds a style or a script of its own, so that the strictest content policy can stand; a colour
reaches a style sheet only as six hexadecimal digits.
"""

import dataclasses
import hashlib
import re
from pathlib import Path

import jinja2

from reminders import paths
from reminders.mail.palette import USUAL, palette
from reminders.web.speech import Speech

STYLES = "/style"
COLOURS = "/colour"
_HEX = re.compile(r"#?([0-9A-Fa-f]{6})")


class Looks:
    """The templates and the style sheet of one folder, read once; `prefix` is our path behind a proxy."""

    def __init__(self, prefix: str = "", folder: Path | None = None) -> None:
        """Take the templates of `folder`, by default the product's own."""
        folder = folder or paths.templates() / "web"
        self.style = (folder / "page.css").read_bytes()
        self.style_name = f"{hashlib.sha256(self.style).hexdigest()[:16]}.css"
        self._prefix = prefix
        self._environment = _environment(folder)

    def fill(self, template: str, speech: Speech, *, colour: str | None = None, **values: object) -> str:
        """Return a page in the language of `speech`, in a clinic's colour."""
        digits = colour_digits(colour) or colour_digits(USUAL)
        styles = (f"{self._prefix}{COLOURS}/{digits}.css", f"{self._prefix}{STYLES}/{self.style_name}")
        return self._environment.get_template(template).render(t=speech, styles=styles, **values)


def colour_digits(colour: str | None) -> str | None:
    """Return the six digits of a colour written `#rrggbb`, in lower case; None for anything else."""
    found = _HEX.fullmatch(colour or "")
    return found[1].lower() if found else None


def colour_sheet(digits: str) -> str:
    """Return the style sheet of all colours that go with a clinic's own, for light and for dark."""
    made = dataclasses.asdict(palette(f"#{digits}"))
    dark = {name.removeprefix("dark_"): value for name, value in made.items() if name.startswith("dark_")}
    light = {name: made[name] for name in dark}
    return f":root {{ {_tokens(light)} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {_tokens(dark)} }} }}\n"


def _tokens(colours: dict[str, str]) -> str:
    return " ".join(f"--{name.replace('_', '-')}: {value};" for name, value in sorted(colours.items()))


def _environment(folder: Path) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.clear()
    return environment
