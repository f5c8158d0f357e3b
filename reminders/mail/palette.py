"""The colours of mails and pages, worked out from the one colour a clinic chose.

Invariant: whatever colour is given, words on it, in it and on its tints hold 4.5:1 (WCAG 2.2, 1.4.3) in light and in
dark, and no surface is pure white or black: a program that inverts colours by force has room on both sides.
"""

import colorsys
import dataclasses
import functools
import re
from collections.abc import Iterable

from reminders.errors import BadInput

USUAL = "#2c6e68"
"""The accent of a clinic that chose none: a quiet teal."""

READABLE = 4.5
"""The least contrast of words against what they stand on, as a ratio to 1."""

_ROOM = 4.7  # a little more than is asked, so that a program which recodes colours does not cross the line
_STEP = 0.01
_DARKEST, _LIGHTEST = 0.16, 0.86  # HSL lightness of an accent
_LINEAR = 0.04045  # below it sRGB is a straight line (IEC 61966-2-1)
_WRITTEN = re.compile(r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")

_PAGE, _CARD, _TEXT, _QUIET = "#f3f4f4", "#fdfdfd", "#1f2a2d", "#546166"
_DARK_PAGE, _DARK_CARD, _DARK_TEXT, _DARK_QUIET = "#13171a", "#1c2226", "#e8edee", "#b3bec2"
_TINT, _DARK_TINT, _RULE_TINT = 0.075, 0.1, 0.16


class BadColour(BadInput):
    """--colour: write a web colour of six digits, such as #2c6e68."""


@dataclasses.dataclass(frozen=True, slots=True)
class Palette:
    """Colours as `#rrggbb`, for light surfaces and, with `dark_` before the name, for dark ones.

    `accent` fills a button that says `on_accent`; `accent_text` is for links and headings on `card`, `panel` and
    `page`; `text` and `quiet` are words, `rule` a line that parts them. `plate` is what a see-through logo stands on.
    """

    accent: str
    on_accent: str
    accent_text: str
    page: str
    card: str
    panel: str
    text: str
    quiet: str
    rule: str
    plate: str
    dark_accent: str
    dark_on_accent: str
    dark_accent_text: str
    dark_page: str
    dark_card: str
    dark_panel: str
    dark_text: str
    dark_quiet: str
    dark_rule: str


def web_colour(written: str) -> str:
    """Return a colour such as "#2C6E68", "2c6e68" or "#abc" as `#rrggbb`; raises `BadColour`."""
    found = written.strip()
    if not _WRITTEN.fullmatch(found):
        raise BadColour
    digits = found.removeprefix("#").lower()
    return "#" + (digits if len(digits) == len("rrggbb") else "".join(digit * 2 for digit in digits))


@functools.lru_cache(maxsize=256)
def palette(colour: str | None) -> Palette:
    """Return the colours that go with a clinic's own, or with the usual one; raises `BadColour`.

    A colour too light to carry or be words is darkened, keeping its hue, until it can; on dark it is lightened.
    """
    own = web_colour(colour or USUAL)
    panel, dark_panel = mixed(own, _CARD, _TINT), mixed(own, _DARK_CARD, _DARK_TINT)
    accent = _moved(own, -_STEP, (panel, _PAGE, _CARD))
    dark_accent = _moved(own, _STEP, (dark_panel, _DARK_PAGE, _DARK_CARD))
    return Palette(
        accent=accent,
        on_accent=_CARD,
        accent_text=accent,
        page=_PAGE,
        card=_CARD,
        panel=panel,
        text=_TEXT,
        quiet=_QUIET,
        rule=mixed(own, "#e9ecec", _TINT),
        plate=_CARD,
        dark_accent=dark_accent,
        dark_on_accent=_DARK_PAGE,
        dark_accent_text=dark_accent,
        dark_page=_DARK_PAGE,
        dark_card=_DARK_CARD,
        dark_panel=dark_panel,
        dark_text=_DARK_TEXT,
        dark_quiet=_DARK_QUIET,
        dark_rule=mixed(own, _DARK_CARD, _RULE_TINT + _DARK_TINT),
    )


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2, contrast ratio)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def mixed(one: str, other: str, share: float) -> str:
    """Return `share` of one colour in the other."""
    return _hex(a * share + b * (1 - share) for a, b in zip(_parts(one), _parts(other), strict=True))


def _moved(colour: str, step: float, grounds: tuple[str, ...]) -> str:
    """Return the colour, lighter or darker by steps, as soon as it can be read on all of these grounds."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_parts(colour))
    lightness = min(max(lightness, _DARKEST), _LIGHTEST)
    while True:
        found = _hex(colorsys.hls_to_rgb(hue, min(max(lightness, 0.0), 1.0), saturation))
        if all(contrast(found, ground) >= _ROOM for ground in grounds) or not 0 < lightness < 1:
            return found
        lightness += step


def _luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2)."""
    linear = [part / 12.92 if part <= _LINEAR else ((part + 0.055) / 1.055) ** 2.4 for part in _parts(colour)]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _parts(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(parts: Iterable[float]) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)
