"""A process that is asked to end: once by a signal, twice by two, and by a terminal that is closed."""

import os
import signal
from collections.abc import Iterator

import pytest

from reminders.stopping import Stop, on_signals, stopping_within

CLOSED = getattr(signal, "SIGHUP", None)
needs_a_terminal = pytest.mark.skipif(CLOSED is None, reason="this system closes no terminals")


@pytest.fixture
def left() -> list[int]:
    return []


@pytest.fixture
def stop(left: list[int]) -> Iterator[Stop]:
    made = Stop(left.append)
    with on_signals(made):
        yield made


@pytest.fixture
def terminal() -> Iterator[None]:
    """Be a program that hears of its terminal, also where the tests were told to outlive theirs."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def test_the_first_signal_asks_and_the_second_does_not_wait(stop: Stop, left: list[int]) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    assert (stop.asked(), left) == (True, [])
    os.kill(os.getpid(), signal.SIGTERM)
    assert left == [128 + signal.SIGTERM]


@needs_a_terminal
@pytest.mark.usefixtures("terminal")
def test_a_closed_terminal_asks_however_often_it_says_so_and_beside_another_signal(left: list[int]) -> None:
    stop = Stop(left.append)
    with on_signals(stop):
        for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), number)
            assert (stop.asked(), left) == (True, [])


@needs_a_terminal
@pytest.mark.usefixtures("terminal")
def test_a_delivery_is_asked_by_a_closed_terminal_and_its_time_runs_from_the_first_word(left: list[int]) -> None:
    stop = Stop(left.append)
    with stopping_within(stop, 1000, left.append):
        os.kill(os.getpid(), signal.SIGHUP)
        signal.setitimer(signal.ITIMER_REAL, 500)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.asked()
        assert signal.getitimer(signal.ITIMER_REAL)[0] <= 500
    assert left == []


@needs_a_terminal
def test_what_was_told_to_outlive_its_terminal_does() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop = Stop()
    try:
        with on_signals(stop):
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.asked()
    finally:
        signal.signal(signal.SIGHUP, before)
