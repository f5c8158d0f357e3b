"""What every test may ask for by name."""

pytest_plugins = ("tests.support.browser", "tests.support.database", "tests.support.offices", "tests.support.postgres")
