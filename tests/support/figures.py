"""Says at the end of a run what its long tests counted, so that the page of figures can be checked against it.

A test hands its counts to `record_property`, with which they cross from process to process.
"""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write a line for each test that counted something."""
    told = [one for one in terminalreporter.getreports("passed") if one.when == "call" and one.user_properties]
    if told:
        terminalreporter.section("counted")
    for report in told:
        counts = ", ".join(f"{count} {name}" for name, count in report.user_properties)
        terminalreporter.write_line(f"{report.nodeid.partition('::')[2]}: {counts}")
