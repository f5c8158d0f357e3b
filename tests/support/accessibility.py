"""Asks axe about a page that a browser shows.

Invariant: what it finds is told by its rule and the element, so that a failing test says what to mend.
"""

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it comes without types
from playwright.sync_api import Page


def axe_complaints(page: Page, *spared: str) -> list[str]:
    """Return what axe finds on the page as it is shown, but for the rules that are `spared`."""
    rules = {name: {"enabled": False} for name in spared}
    found = Axe().run(page, options={"rules": rules})
    return [f"{rule['id']}: {node['html']}" for rule in found.response["violations"] for node in rule["nodes"]]
