"""The catalogue: versions that never change, numbered upwards, in the keys of the contract."""

from dataclasses import replace

import pytest

from reminders.domain.definition import BadProtocol, as_plain, from_plain
from reminders.domain.protocol import Protocol
from reminders.store import protocols
from reminders.store.database import Database
from tests.store.clinic import NOW
from tests.support.facts import CATALOGUE, FACE, LONG, day


def _stored(protocol: Protocol, version: int) -> Protocol:
    return replace(protocol, version=version, effective_on=protocol.effective_on or NOW.date())


def test_a_protocol_saved_again_unchanged_keeps_its_version(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        assert protocols.save_protocol(tx, FACE) == 1
        assert protocols.save_protocol(tx, replace(FACE, version=9, effective_on=day("2026-01-01"))) == 1
        assert protocols.current(tx) == {FACE.code: _stored(FACE, 1)}


def test_a_changed_protocol_is_a_new_version_and_the_old_one_stays(database: Database) -> None:
    changed = replace(FACE, label={"en": "your treatment", "de": "Ihre Behandlung"}, effective_on=day("2026-04-01"))
    with database.write(NOW, "cli") as tx:
        protocols.save_protocol(tx, FACE)
        protocols.save_protocol(tx, LONG)
        assert protocols.save_protocol(tx, changed) == 2
        assert protocols.save_protocol(tx, FACE) == 3
        assert protocols.current(tx) == {FACE.code: _stored(FACE, 3), LONG.code: _stored(LONG, 1)}
        assert protocols.by_version(tx, FACE.code, 2) == _stored(changed, 2)
        assert protocols.by_version(tx, FACE.code, 4) is None


def test_a_protocol_is_written_in_the_keys_of_the_contract() -> None:
    assert as_plain(FACE) == {
        "code": "botulinum-cosmetic",
        "name": "botulinum-cosmetic",
        "label": "a follow-up",
        "class": "cosmetic",
        "group": "toxin",
        "line": "face",
        "min_days": 90,
        "window": {"opens": "3m", "due": "4m", "overdue": "5m", "closes": "6m"},
        "steps": [
            {"name": "invitation", "anchor": "opens", "offset": "-2w"},
            {"name": "follow_up", "anchor": "due", "offset": "0d"},
            {"name": "last_call", "anchor": "closes", "offset": "-3w"},
        ],
        "source": "",
        "verified": "",
        "version": 1,
        "active": True,
        "sessions": None,
        "then": None,
        "effective_on": None,
    }


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_protocol_is_read_back_as_it_was_written(code: str) -> None:
    protocol = replace(CATALOGUE[code], label={"en": "a visit", "fr": "une visite"}, source="label", verified="2026-01")
    assert from_plain(as_plain(protocol)) == protocol


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"code": None}, "code is missing"),
        ({"name": " "}, "name is empty"),
        ({"label": {"de": "Termin"}}, "label"),
        ({"label": ""}, "label"),
        ({"class": "beauty"}, "class"),
        ({"min_days": "90"}, "min_days has the wrong type"),
        ({"min_days": True}, "min_days has the wrong type"),
        ({"min_days": -1}, "min_days is negative"),
        ({"window": {"opens": "3m", "due": "4 months", "overdue": "5m", "closes": "6m"}}, "window.due"),
        ({"window": {"opens": "3m"}}, "window.due is missing"),
        ({"window": "3m"}, "window has the wrong type"),
        ({"steps": [{"name": "invitation", "anchor": "start", "offset": "0d"}]}, "step 1: anchor"),
        ({"steps": ["invitation"]}, "step 1 is no JSON object"),
        ({"steps": None}, "steps is missing"),
        ({"active": "yes"}, "active has the wrong type"),
        ({"effective_on": "soon"}, "effective_on"),
        ({"windows": {}}, "windows is unknown"),
    ],
)
def test_a_wrong_definition_is_refused_by_the_key_that_is_wrong(change: dict[str, object], named: str) -> None:
    with pytest.raises(BadProtocol) as refused:
        from_plain(as_plain(FACE) | change)
    assert named in str(refused.value)


@pytest.mark.parametrize("plain", [None, [], "x", 3])
def test_what_is_no_object_is_no_protocol(plain: object) -> None:
    with pytest.raises(BadProtocol):
        from_plain(plain)


def test_a_definition_may_leave_out_what_has_a_default() -> None:
    plain = as_plain(FACE)
    for key in ("source", "verified", "version", "active", "sessions", "then"):
        del plain[key]
    assert from_plain(plain | {"effective_on": "2026-04-01"}) == replace(FACE, effective_on=day("2026-04-01"))
