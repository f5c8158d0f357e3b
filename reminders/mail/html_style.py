"""Reads style declarations for what they hide and what they load.

Invariant: a declaration that cannot be understood hides nothing by itself but never makes something smaller visible;
one that could load anything is always found, however it is spaced or spelled.
"""

import re
from functools import lru_cache

USUAL_SIZE = 16.0
"""Pixels: how large letters are where nothing says so."""

_KEPT = 1024  # styles whose meaning is remembered: every message of a template has the same few dozen
_SMALLEST = 6.0  # pixels: letters below it are there for machines
_LOADING = ("url(", "@import", "expression(", "image-set(", "image(", "behavior:", "-moz-binding", "\\", "src:")
_HIDING = (
    re.compile(r"(?:^|[;{])display:none"),
    re.compile(r"(?:^|[;{])visibility:(?:hidden|collapse)"),
    re.compile(r"(?:^|[;{])opacity:(?:0(?:\.0\d*)?|\.0\d*|\d%)(?:[;!]|$)"),
    re.compile(r"mso-hide:(?!none)"),
    re.compile(r"(?:^|[;{])max-(?:height|width):0"),
    re.compile(r"(?:^|[;{])(?:height|width):0(?:[a-z%]*)(?:[;!]|$)"),
    re.compile(r"(?:^|[;{])text-indent:-\d{3,}"),
    re.compile(r"(?:^|[;{])(?:clip|clip-path|transform|position):"),
    re.compile(r"(?:^|[;{])color:transparent"),
)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SIZE = re.compile(r"(?:^|;)font-size:([0-9]*\.?[0-9]+)(px|pt|em|rem|%)?(?=[;!]|$)")
_SHORT = re.compile(r"""(?:^|;)\s*font\s*:[^;]*?(?<![\w.])([0-9]*\.?[0-9]+)(px|pt|em|rem|%)?\s*(?:/|\s['"a-z])""")


@lru_cache(_KEPT)
def loads(style: str) -> bool:
    """Return whether a style, of an element or a sheet, could fetch or run something."""
    squeezed = _squeezed(style)
    return any(mark in squeezed for mark in _LOADING)


@lru_cache(_KEPT)
def hides(style: str) -> bool:
    """Return whether an element's style keeps it, and all within it, from being seen; letter sizes apart."""
    squeezed = _squeezed(style)
    return any(pattern.search(squeezed) for pattern in _HIDING)


@lru_cache(_KEPT)
def letter_size(style: str, around: float) -> float:
    """Return how large the letters of an element are, in pixels, within one whose letters are `around`."""
    found = [*_SHORT.finditer(_bare(style)), *_SIZE.finditer(_squeezed(style))]
    if not found:
        return around
    number, unit = found[-1].groups()
    factor = {"pt": 4 / 3, "em": around, "rem": USUAL_SIZE, "%": around / 100}.get(unit or "px", 1.0)
    return float(number) * factor


def is_seen(size: float) -> bool:
    """Return whether letters of that many pixels are there for people."""
    return size >= _SMALLEST


def _squeezed(style: str) -> str:
    return "".join(_bare(style).split())


def _bare(style: str) -> str:
    return _COMMENT.sub("", style.lower())
