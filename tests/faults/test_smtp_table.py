"""Everything a mail server may do at every phase, through a whole delivery, and a second one that shows recovery."""

import pytest

from tests.support import chaos_acts, chaos_table
from tests.support.chaos_office import ChaosOffice
from tests.support.chaos_scenario import Scenario, run
from tests.support.chaos_server import ChaosServer
from tests.support.smtp_server import Certificates

REPLIES = chaos_table.replies()
BEHAVIOURS = chaos_table.behaviours()


@pytest.mark.parametrize(("said", "phase"), REPLIES, ids=[f"{phase} {said}" for said, phase in REPLIES])
def test_a_reply_means_for_the_message_what_the_table_says(
    chaos_office: ChaosOffice, chaos_server: ChaosServer, trusted: Certificates, said: str, phase: str
) -> None:
    script = {phase: chaos_acts.reply(said.replace("$", "\r\n"))}
    run(chaos_office, chaos_server, trusted, Scenario(phase, script, REPLIES[said, phase]))


@pytest.mark.parametrize(("name", "phase"), BEHAVIOURS, ids=[f"{phase} {name}" for name, phase in BEHAVIOURS])
def test_a_behaviour_ends_for_the_message_as_the_table_says(
    chaos_office: ChaosOffice, chaos_server: ChaosServer, trusted: Certificates, name: str, phase: str
) -> None:
    script = chaos_acts.early(phase) if name == "early" else {phase: chaos_acts.BEHAVIOURS[name]}
    waits = name in chaos_table.WAITS
    run(chaos_office, chaos_server, trusted, Scenario(phase, script, BEHAVIOURS[name, phase], waits))


def test_the_table_is_as_wide_as_it_claims() -> None:
    assert len(REPLIES) + len(BEHAVIOURS) >= 360
    assert {name for name, _ in BEHAVIOURS} == {*chaos_acts.BEHAVIOURS, "early"}
    assert len({name for name, _ in BEHAVIOURS}) >= 40
