"""Looks at a page as a browser shows it: what axe finds, whether it fits, and where the keyboard goes."""

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no stubs
from playwright.sync_api import Page

SMALLEST_TARGET = 44  # CSS pixels, WCAG 2.2, 2.5.5
_STANDARD = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
_TARGETS = """() => [...document.querySelectorAll('button, summary, select, .choice, input, textarea, a.button')]
  .filter(e => e.offsetParent !== null && e.type !== 'hidden' && e.type !== 'radio')
  .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
  .filter(([_, box]) => box.height < %d || box.width < %d)
  .map(([html]) => html)"""
_FOCUSED = """() => {
  const e = document.activeElement, box = e.getBoundingClientRect()
  const around = e.closest('.choice') || e
  const line = [e, around].some(one => parseFloat(getComputedStyle(one).outlineWidth) >= 2
    && getComputedStyle(one).outlineStyle !== 'none')
  const name = e.id || e.value || e.textContent.trim().slice(0, 30)
  return [e.tagName, name, line, box.bottom > 0 && box.top < innerHeight]
}"""
CRAMPED = """() => [...document.querySelectorAll('select')].flatMap(list => {
  const style = getComputedStyle(list), pen = document.createElement('canvas').getContext('2d')
  pen.font = style.font
  const room = list.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - 24
  return [...list.options].map(one => one.text).filter(text => pen.measureText(text).width > room)
})"""
"""The entries of lists that the arrow (24 pixels at most) would cut."""
OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true })"


def complaints(page: Page) -> list[str]:
    """Return what axe finds, each rule with the elements that break it."""
    found = Axe().run(page, options=_STANDARD).response["violations"]
    return [f"{one['id']}: {[node['html'][:120] for node in one['nodes']]}" for one in found]


def overhang(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wide


def small_targets(page: Page) -> list[str]:
    """Return the controls that a finger would miss."""
    small: list[str] = page.evaluate(_TARGETS % (SMALLEST_TARGET, SMALLEST_TARGET))
    return small


def submit(page: Page, button: str) -> None:
    """Press a button and wait for what comes of it."""
    with page.expect_navigation():
        page.locator(button).click()


def walk(page: Page, most: int = 60) -> list[str]:
    """Press Tab through the whole page; return what was reached, each seen and with a line around it."""
    reached: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        tag, name, outlined, seen = page.evaluate(_FOCUSED)
        if tag == "BODY":
            break
        assert outlined, f"{tag} {name} shows no focus"
        assert seen, f"{tag} {name} is out of sight"
        reached.append(f"{tag.lower()} {name}")
    return reached
