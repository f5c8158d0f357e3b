"""Draws bars with their ranges as SVG, for light and dark pages; the same figures stand beside them as a table.

Invariant: a chart needs nothing from elsewhere, no font, script or style sheet; the same figures draw the same
file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT, TOP, ROW, BAR = 760, 16, 150, 56, 44, 14
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2933}.title{font-size:16px;font-weight:600}.quiet{fill:#5f6b76}"
    ".ours{fill:#2c6e68}.theirs{fill:#9aa5b1}.range{stroke:#1f2933;stroke-width:1.5}.axis{stroke:#c5ccd3}"
    "@media(prefers-color-scheme:dark){text{fill:#e4e7eb}.quiet{fill:#9aa5b1}.ours{fill:#5fb3a8}"
    ".theirs{fill:#616e7c}.range{stroke:#e4e7eb}.axis{stroke:#3e4c59}}"
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: the median, and the lowest and highest figure; `ours` is drawn in the product's colour."""

    label: str
    median: float
    low: float
    high: float
    ours: bool = False


def drawn(title: str, unit: str, bars: Sequence[Bar]) -> str:
    """Return the chart of some bars, the longest across the whole width."""
    top = max((bar.high for bar in bars), default=0) or 1
    scale = (WIDTH - LEFT - RIGHT) / top
    height = TOP + ROW * len(bars) + 16
    said = "; ".join(f"{_plain(bar.label)}: {shown(bar.median)} {unit}" for bar in bars)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"',
        ' role="img" aria-labelledby="t d">',
        f'<title id="t">{escape(title)}</title><desc id="d">{escape(said)}</desc><style>{_STYLE}</style>',
        f'<text class="title" x="{LEFT}" y="26">{escape(title)}</text>',
        f'<text class="quiet" x="{LEFT}" y="44">{escape(unit)}: median, the line from lowest to highest</text>',
        *(line for number, bar in enumerate(bars) for line in _bar(bar, TOP + ROW * number, scale)),
        f'<line class="axis" x1="{LEFT}" x2="{LEFT}" y1="{TOP}" y2="{height - 12}"/>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def shown(value: float) -> str:
    """Return a figure with three digits that matter, thousands apart."""
    if value >= 100:  # noqa: PLR2004 - from here on whole numbers
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _bar(bar: Bar, top: float, scale: float) -> Iterator[str]:
    middle, end = top + 20 + BAR / 2, LEFT + bar.high * scale
    colour = "ours" if bar.ours else "theirs"
    yield f'<text x="{LEFT + 6}" y="{top + 14}">{escape(_plain(bar.label))}</text>'
    yield f'<rect class="{colour}" x="{LEFT}" y="{top + 20}" width="{bar.median * scale:.1f}" height="{BAR}" rx="2"/>'
    yield f'<line class="range" x1="{LEFT + bar.low * scale:.1f}" x2="{end:.1f}" y1="{middle}" y2="{middle}"/>'
    yield f'<text x="{end + 8:.1f}" y="{middle + 4}">{shown(bar.median)}</text>'


def _plain(label: str) -> str:
    return label.replace("`", "")
