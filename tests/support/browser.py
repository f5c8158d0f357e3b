"""A real browser for tests that look at mails and pages: Debian's Chromium, started once per test process."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

EXECUTABLE = Path("/usr/bin/chromium")
Scheme = Literal["light", "dark"]


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; it fetches nothing for itself."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--force-color-profile=srgb"]
        started = playwright.chromium.launch(executable_path=str(EXECUTABLE), args=arguments)
        yield started
        started.close()


@contextlib.contextmanager
def page_of(browser: Browser, width: int, scheme: Scheme, *, height: int = 900, scale: float = 1) -> Iterator[Page]:
    """Open an empty page of that many CSS pixels, light or dark; `scale` is the screen's dots per pixel."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        device_scale_factor=scale,
        reduced_motion="reduce",
    )
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser; the tests that need one are skipped, and say so, where it is missing."""
    if not EXECUTABLE.exists():
        pytest.skip(f"There is no browser at {EXECUTABLE}: install Debian's chromium to look at mails and pages.")
    with chromium() as started:
        yield started
