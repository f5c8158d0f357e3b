"""The documents that can be checked against the code are."""

import re
from pathlib import Path

from reminders.domain.lifecycle import FINAL, MOVES, State

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_drawing_of_the_lifecycle_has_exactly_the_legal_moves() -> None:
    drawn = re.findall(r"^    (\w+) --> (\w+)$", (DOCS / "lifecycle.md").read_text(encoding="utf-8"), re.MULTILINE)
    legal = {(before.value, after.value) for before, afters in MOVES.items() for after in afters}
    assert set(drawn) == legal
    assert len(drawn) == len(set(drawn))


def test_the_lifecycle_page_describes_every_state_once() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", (DOCS / "lifecycle.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [state.value for state in State]


def test_what_is_final_leaves_only_for_a_bounce() -> None:
    assert {after for state in FINAL for after in MOVES[state]} == {State.BOUNCED}


def test_links_between_the_documents_lead_somewhere() -> None:
    for page in [*DOCS.glob("*.md"), DOCS.parent / "README.md", DOCS.parent / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} points to {target}"
