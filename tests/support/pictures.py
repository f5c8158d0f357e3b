"""Writes the pictures of the mail and of the pages that the documents show: `make pictures`.

Invariant: each is made from a message as it is composed, by a browser at the size of a phone or a desk; nothing in it
is drawn by hand, and nobody in it exists.
"""

import base64
import dataclasses
import hashlib
import html
import io
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Browser

from reminders.mail.compose import as_page, parts
from reminders.mail.logo import prepare_logo
from reminders.mail.message import MessageFacts, MessageLinks
from reminders.mail.words import words
from tests.mail.letters import facts, letter
from tests.support.browser import Scheme, chromium, page_of
from tests.support.page_pictures import page_shots

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"
LARGEST = 120 * 1024  # bytes: a page of the documents opens at once
PHONE, DESK = 390, 820
_COLOURS = 96
_MARK = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 620 180" width="620" height="180">
<g fill="none" stroke="#2c6e68" stroke-width="12" stroke-linecap="round"><path d="M20 128q24-22 48 0t48 0t48 0"/>
<path d="M44 158q24-22 48 0t48 0"/></g>
<path d="M88 96V18l58 78z" fill="#2c6e68"/><path d="M76 96V44L38 96z" fill="#7fb5af"/>
<text x="196" y="92" font-family="Noto Serif,serif" font-size="76" font-weight="600" fill="#23423f">Harbour</text>
<text x="199" y="146" font-family="Noto Sans,sans-serif" font-size="38" letter-spacing="13" fill="#4d6a67">CLINIC</text>
</svg>"""
_TEXT = """<!doctype html><html lang="en"><meta charset="utf-8"><style>
body{{margin:0;background:#fdfdfd;color:#1f2a2d;font:15px/1.5 "Noto Sans Mono","DejaVu Sans Mono",monospace}}
header{{padding:20px 28px;border-bottom:1px solid #dde2e2;color:#546166}} b{{color:#1f2a2d}}
pre{{margin:0;padding:22px 28px 28px;font:inherit;white-space:pre-wrap}}</style>
<header>From: <b>{sender}</b><br>Subject: <b>{subject}</b></header><pre>{text}</pre></html>"""


class Shot(NamedTuple):
    name: str
    html: str
    width: int
    scheme: Scheme


def arabic() -> MessageFacts:
    """Return the example's message as a clinic in Dubai would send it."""
    return facts(
        language="ar",
        label=words("mail", "ar")["label_cosmetic"],
        clinic_name="عيادة الميناء",
        sender_name="عيادة الميناء",
        patient_name="سلمى",
        practitioner="د. ليلى حداد",
        phone="+971 4 555 0118",
        postal_address="شارع الكورنيش 12، دبي",
        jurisdiction=None,
        country="AE",
    )


def shots(browser: Browser) -> list[Shot]:
    """Return what there is to take pictures of."""
    plain, own = (
        letter(facts(), _links()),
        dataclasses.replace(facts(), logo=prepare_logo(_drawn(browser)), colour="#2c6e68"),
    )
    mail, text = as_page(plain), parts(plain)
    said = _TEXT.format(sender=facts().sender_name, subject=html.escape(text.subject), text=html.escape(text.text))
    return [
        Shot("mail-phone-light", mail, PHONE, "light"),
        Shot("mail-phone-dark", mail, PHONE, "dark"),
        Shot("mail-desk-light", mail, DESK, "light"),
        Shot("mail-desk-dark", mail, DESK, "dark"),
        Shot("mail-arabic-phone", as_page(letter(arabic())), PHONE, "light"),
        Shot("mail-logo-phone", as_page(letter(own)), PHONE, "light"),
        Shot("mail-text", said, DESK, "light"),
    ]


def picture(browser: Browser, shot: Shot) -> bytes:
    """Return one picture as a small PNG: a phone has more dots per pixel than a desk."""
    with page_of(browser, shot.width, shot.scheme, scale=1.5 if shot.width == PHONE else 1) as page:
        page.set_content(shot.html)
        return _small(page.screenshot(full_page=True))


def _links() -> MessageLinks:
    """Return links that look as real ones do and open nothing."""
    request, stop = (
        base64.urlsafe_b64encode(hashlib.sha256(word).digest()).decode().rstrip("=") for word in (b"p", b"u")
    )
    return MessageLinks(f"https://reminders.harbour.example/p/{request}", f"https://reminders.harbour.example/u/{stop}")


def _drawn(browser: Browser) -> bytes:
    with page_of(browser, 620, "light", height=180, scale=2) as page:
        page.set_content(f"<body style='margin:0'>{_MARK}")
        return page.screenshot(omit_background=True)


def _small(content: bytes) -> bytes:
    out = io.BytesIO()
    image = Image.open(io.BytesIO(content)).convert("RGB")
    image.quantize(_COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> None:
    """Write every picture."""
    FOLDER.mkdir(exist_ok=True)
    with chromium() as browser:
        mails = [(shot.name, picture(browser, shot)) for shot in shots(browser)]
        pages = [(name, _small(content)) for name, content in page_shots(browser)]
    for name, content in (*mails, *pages):
        (FOLDER / f"{name}.png").write_bytes(content)
        print(f"docs/images/{name}.png: {len(content) // 1024} KB")  # noqa: T201 - said to whoever runs it


if __name__ == "__main__":
    main()
