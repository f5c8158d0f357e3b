"""How every element of the mail looks: written beside the element itself, and once more for dark surroundings.

Invariant: nothing that matters stands in the style sheet alone, since some programs remove it; a style is chosen by an
element's class, else by its tag, so a clinic's own paragraphs and lists look like the product's.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

FONTS = (
    "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,"
    "'Noto Sans','Noto Sans Arabic','Geeza Pro',Tahoma,sans-serif"
)
"""Fonts that programs have at hand, some of them with Arabic; nothing is fetched."""

_WORDS = "font-size:{size};line-height:1.6"
_TEXT = f"margin:0 0 16px;{_WORDS};color:{{text}}"
_QUIET = f"margin:0 0 10px;{_WORDS};color:{{quiet}}"
_LINK = "color:{accent_text};text-decoration:underline;text-underline-offset:2px"
_LIST = "margin:0 0 16px;padding:0;padding-{start}:24px;color:{text}"
_HEAD = "margin:0 0 12px;font-size:20px;line-height:1.35;font-weight:600;color:{accent_text}"

STYLES: Mapping[str, str] = MappingProxyType(
    {
        "h1.brand": "margin:0 0 26px;font-size:24px;line-height:1.3;font-weight:700;color:{accent_text}",
        "img.logo": "display:block;border:0;border-radius:8px;max-width:100%;height:auto;font-size:24px;"
        "line-height:1.3;font-weight:700;color:{accent_text}",
        "h2.head": _HEAD,
        "h2": _HEAD,
        "h3": "margin:0 0 10px;font-size:17px;line-height:1.4;font-weight:600;color:{text}",
        "p.text": _TEXT,
        "p": _TEXT,
        "p.text who": _TEXT + ";font-weight:600",
        "p.text phone": _TEXT.replace("0 0 16px", "0 0 14px"),
        "p.text last": _TEXT.replace("0 0 16px", "0"),
        "a.call": "display:block;padding:6px 0;font-size:25px;line-height:1.4;font-weight:700;text-decoration:none;"
        "color:{accent_text}",
        "bdi.call": "display:block;padding:6px 0;font-size:25px;line-height:1.4;font-weight:700;color:{accent_text}",
        "a.link": _LINK,
        "a.number": _LINK + ";white-space:nowrap",
        "bdi.number": "white-space:nowrap",
        "a": _LINK,
        "ul": _LIST,
        "ol": _LIST,
        "li": f"margin:0 0 6px;{_WORDS};color:{{text}}",
        "blockquote": "margin:0 0 16px;padding:0;padding-{start}:16px;color:{text}",
        "h2.quiet": "margin:0 0 10px;font-size:{size};line-height:1.4;font-weight:600;color:{quiet}",
        "p.quiet": _QUIET,
        "p.quiet last": _QUIET.replace("0 0 10px", "0"),
        "div.preheader": "display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;mso-hide:all;font-size:1px;"
        "line-height:1px;color:{page}",
    }
)
"""Declarations by `tag.class` and by `tag`; in braces stand colours of the palette, `start` and `size`."""

DARK: Mapping[str, str] = MappingProxyType(
    {
        ".page": "background-color:{dark_page}",
        ".card,.card>table": "background:{dark_card};background-color:{dark_card}",
        ".card>table>tbody>tr>td": "border-color:{dark_accent}",
        ".consultation,.consultation>table": "background:{dark_panel};background-color:{dark_panel}",
        ".consultation>table>tbody>tr>td": "border-color:{dark_accent}",
        ".text,.card p,.card li,.card ul,.card ol,.card h3,.card blockquote": "color:{dark_text}",
        ".brand,.logo,.head,.card h2,.call,.link,.number,.card p a,.card li a,.foot a": "color:{dark_accent_text}",
        ".foot .quiet": "color:{dark_quiet}",
        ".button td": "background:{dark_accent}",
        ".button td a": "background:{dark_accent};color:{dark_on_accent}",
    }
)
"""The same elements on dark surfaces, by selector: what `prefers-color-scheme` asks for."""

_TAG = re.compile(
    r'<(h[123]|p|a|bdi|ul|ol|li|img|div|blockquote)((?: class="([a-z ]+)")?(?: [a-z]+="[^"<>]*")*)(\s*/?)>'
)


def styled(html: str, colours: Mapping[str, str]) -> str:
    """Return HTML of ours (values escaped, a clinic's cleaned) with each element's style written into it."""

    def with_style(tag: re.Match[str]) -> str:
        name, attributes, class_name, end = tag.groups()
        style = STYLES.get(f"{name}.{class_name}" if class_name else name)
        if style is None or ' style="' in attributes:
            return tag[0]
        return f'<{name}{attributes} style="{style.format_map(colours)}"{end}>'

    return _TAG.sub(with_style, html)


def sheet(colours: Mapping[str, str]) -> str:
    """Return the style sheet: room on wide screens, and dark surroundings where they are asked for."""
    asked = "".join(f"{selector}{{{_forced(style.format_map(colours))}}}" for selector, style in DARK.items())
    return f"{_BASE}@media (min-width:600px){{{_WIDE}}}@media (prefers-color-scheme:dark){{{asked}}}"


def outlook_sheet(colours: Mapping[str, str]) -> str:
    """Return the dark colours for Outlook's own marks: it recodes words ([data-ogsc]) and grounds ([data-ogsb]).

    A sheet of its own, since a program that knows no such selector may drop the sheet that holds one.
    """
    rules = []
    for selector, declarations in DARK.items():
        style = declarations.format_map(colours)
        mark = "[data-ogsb]" if style.startswith("background") else "[data-ogsc]"
        rules.append(",".join(f"{mark} {one}" for one in selector.split(",")) + f"{{{_forced(style)}}}")
    return "".join(rules)


_BASE = (
    ":root{color-scheme:light dark;supported-color-schemes:light dark}"
    "body{margin:0;padding:0;-webkit-text-size-adjust:100%;-ms-text-size-adjust:100%}"
    "table,td{border-collapse:collapse;mso-table-lspace:0pt;mso-table-rspace:0pt}"
    "#outlook a{padding:0}"
    ".button td a:hover{text-decoration:underline !important}"
)
_WIDE = (
    ".page{padding:32px 0 !important}"
    ".card{border-radius:14px !important;overflow:hidden !important}"
    ".card>table>tbody>tr>td{padding:36px 48px 40px !important}"
    ".consultation>table>tbody>tr>td{padding:28px 28px 12px !important}"
    ".foot>table>tbody>tr>td{padding:28px 48px 16px !important}"
)


def _forced(style: str) -> str:
    return style.replace(";", " !important;") + " !important"
