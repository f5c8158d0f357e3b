"""The frame around every mail's words: MJML, compiled once into a template of tables that every mail program shows.

Invariant: what is compiled is our own file, never a clinic's words; it loads nothing, not even a font, and names the
direction of the language everywhere it names one.
"""

import dataclasses
import functools
import hashlib
import re
from collections.abc import Callable

import jinja2
from markupsafe import Markup

from reminders.errors import CannotDo
from reminders.mail.message import MessageFacts, logo_id
from reminders.mail.palette import palette
from reminders.mail.render.inline import DARK, FONTS, STYLES, outlook_sheet, sheet, styled

NAME = "base.mjml"
SHARPNESS = 2  # pixels of a logo for one of the mail, since most screens have two
_HEAD = re.compile(r"<head>.*?</head>", re.DOTALL)
_ROOT = re.compile(r"<html [^>]*>")
_OWN_HEAD = (
    '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
    '<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">'
    "<title>{{ subject }}</title><style>{{ sheet }}</style><style>{{ outlook_sheet }}</style></head>"
)
"""What stands in place of the compiler's head, which carries a script's host, a plain-text style sheet for Thunderbird
of old, and comments for an Outlook that is gone."""


class FrameBroken(CannotDo):
    """The frame of the mails cannot be compiled: {problem}. The installation is damaged; install it again."""


@functools.lru_cache(maxsize=4)
def compiled(source: str) -> str:
    """Return the MJML as a template of HTML; raises `FrameBroken`.

    One result serves every clinic: colours, language and direction are values of the template, filled in per message.
    """
    from mjml import mjml2html  # noqa: PLC0415 - a compiled library that only rendering needs

    try:
        html = mjml2html(source, fonts={})
    except ValueError as error:
        raise FrameBroken(problem=str(error)) from error
    html = _HEAD.sub(lambda _: _OWN_HEAD, html, count=1)
    html = _ROOT.sub('<html lang="{{ language }}" dir="{{ direction }}">', html, count=1)
    # the compiler aligns columns to the left whatever it is told
    html = html.replace("text-align:left", "text-align:{{ start }}").replace('align="left"', 'align="{{ start }}"')
    # all of the button can be touched, not its words alone
    return html.replace('style="display:inline-block;background', 'style="display:block;background')


def version(source: str) -> str:
    """Return what changes whenever the frame, or the way it is styled, does."""
    said = "\0".join((compiled(source), FONTS, repr(dict(STYLES)), repr(dict(DARK)), sheet(_look(None, "ltr"))))
    return hashlib.sha256(said.encode()).hexdigest()


class FrameLoader(jinja2.FileSystemLoader):
    """Reads the templates of a folder; what is MJML there is HTML here."""

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """Return a template's source, compiled where it needs it, its file, and whether that is unchanged."""
        source, file, unchanged = super().get_source(environment, template)
        return compiled(source) if template.endswith(".mjml") else source, file, unchanged


def look_of(facts: MessageFacts, direction: str) -> dict[str, object]:
    """Return what the frame shows of a clinic's look, and where a line of the language starts."""
    look, logo = _look(facts.colour, direction), facts.logo
    start = look["start"]
    border = f"4px solid {look['accent']}"
    return {
        "look": look,
        "fonts": FONTS,
        "start": start,
        "panel_left": border if start == "left" else "0 solid",
        "panel_right": border if start == "right" else "0 solid",
        "panel_round": "0 12px 12px 0" if start == "left" else "12px 0 0 12px",
        "sheet": Markup(sheet(look)),  # noqa: S704 - made of our own rules and checked colours
        "outlook_sheet": Markup(outlook_sheet(look)),  # noqa: S704 - as above
        "logo_src": f"cid:{logo_id(facts)}" if logo else "",
        "logo_width": logo.width // SHARPNESS if logo else 0,
        "logo_height": logo.height // SHARPNESS if logo else 0,
    }


def finished(html: str, colour: str | None, direction: str) -> str:
    """Return the filled frame with every element's style written beside it."""
    return styled(html, _look(colour, direction))


def _look(colour: str | None, direction: str) -> dict[str, str]:
    rightwards = {"start": "left", "size": "16px"}
    leftwards = {"start": "right", "size": "18px"}  # Arabic letters are smaller than their size says
    return dataclasses.asdict(palette(colour)) | (leftwards if direction == "rtl" else rightwards)
