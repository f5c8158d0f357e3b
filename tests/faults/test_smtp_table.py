"""Everything a mail server may do at every phase, through a whole delivery, and a second one that shows recovery."""

from collections.abc import Sequence

import pytest

from tests.support import chaos_acts, chaos_table
from tests.support.chaos_office import ChaosOffice
from tests.support.chaos_scenario import Scenario, run
from tests.support.chaos_server import ChaosServer
from tests.support.smtp_server import Certificates

REPLIES = chaos_table.replies()
BEHAVIOURS = chaos_table.behaviours()


HALVES = pytest.mark.parametrize("half", ["", pytest.param("the other way", marks=pytest.mark.storm)])
"""Each way of asking (one command at a time, all in one go) meets every second scenario; in the storm, all of them."""
EITHER_WAY = {("reset", "data"), ("half a reply, then reset", "data")}
"""A reset may overtake the replies to the commands before it: where all are asked at once, nobody knows which."""


def in_one_go(table: Sequence[tuple[str, str]], row: tuple[str, str], half: str) -> bool:
    return row not in EITHER_WAY and (table.index(row) % 2 == 0) != bool(half)


@HALVES
@pytest.mark.parametrize(("said", "phase"), REPLIES, ids=[f"{phase} {said}" for said, phase in REPLIES])
def test_a_reply_means_for_the_message_what_the_table_says(
    chaos_office: ChaosOffice, chaos_server: ChaosServer, trusted: Certificates, said: str, phase: str, half: str
) -> None:
    script = {phase: chaos_acts.reply(said.replace("$", "\r\n"))}
    pipelining = in_one_go(list(REPLIES), (said, phase), half)
    scenario = Scenario(phase, script, REPLIES[said, phase], pipelining=pipelining)
    run(chaos_office, chaos_server, trusted, scenario)


@HALVES
@pytest.mark.parametrize(("name", "phase"), BEHAVIOURS, ids=[f"{phase} {name}" for name, phase in BEHAVIOURS])
def test_a_behaviour_ends_for_the_message_as_the_table_says(
    chaos_office: ChaosOffice, chaos_server: ChaosServer, trusted: Certificates, name: str, phase: str, half: str
) -> None:
    script = chaos_acts.early(phase) if name == "early" else {phase: chaos_acts.BEHAVIOURS[name]}
    pipelining = in_one_go(list(BEHAVIOURS), (name, phase), half)
    letters = BEHAVIOURS | chaos_table.PIPELINED if pipelining else BEHAVIOURS
    scenario = Scenario(phase, script, letters[name, phase], name in chaos_table.WAITS, pipelining=pipelining)
    run(chaos_office, chaos_server, trusted, scenario)


OUT_OF_STEP = {
    "all replies in one": "s",
    "all replies at the first": "s",
    "byte by byte": "s",
    "one for two": "t",
    "one for three": "t",
    "two for one": "T",
    "in another order": "t",
    "refused, and then agreed": "a",
    "refused, and then refused": "a",
    "refused, then something else": "t",
    "refused, then nonsense": "a",
    "refused, then gone": "a",
    "refused twice for one": "a",
    "MAIL refused, and then agreed": "t",
    "all refused": "t",
    "taken before it is there": "T",
    "closing within": "T",
}


@pytest.mark.parametrize("name", chaos_acts.OUT_OF_STEP)
def test_replies_that_do_not_go_with_their_commands_end_in_a_clear_verdict(
    chaos_office: ChaosOffice, chaos_server: ChaosServer, trusted: Certificates, name: str
) -> None:
    scenario = Scenario("data", chaos_acts.OUT_OF_STEP[name], OUT_OF_STEP[name], pipelining=True)
    run(chaos_office, chaos_server, trusted, scenario)


def test_the_table_is_as_wide_as_it_claims() -> None:
    assert len(REPLIES) + len(BEHAVIOURS) >= 360
    assert {name for name, _ in BEHAVIOURS} == {*chaos_acts.BEHAVIOURS, "early"}
    assert len({name for name, _ in BEHAVIOURS}) >= 40
