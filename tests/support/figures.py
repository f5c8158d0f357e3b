"""Says at the end of a run what its long tests counted, so that the page of figures can be checked against it.

A test hands its counts to `record_property`, with which they cross from process to process.
"""

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write a line for each test that counted something, all its parameters together."""
    together: dict[str, Counter[str]] = {}
    for report in terminalreporter.getreports("passed"):
        if report.when == "call" and report.user_properties:
            name = report.nodeid.partition("::")[2].partition("[")[0]
            together.setdefault(name, Counter()).update({key: int(count) for key, count in report.user_properties})
    if together:
        terminalreporter.section("counted")
    for name, counts in together.items():
        told = ", ".join(f"{count:,} {key}" for key, count in counts.items())
        terminalreporter.write_line(f"{name}: {told}")
