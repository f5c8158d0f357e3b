"""What every test may ask for by name. A module stands behind those that it imports from."""

pytest_plugins = (
    "tests.support.properties",
    "tests.support.statements",
    "tests.support.browser",
    "tests.support.chaos",
    "tests.support.postgres",
    "tests.support.database",
    "tests.support.figures",
    "tests.support.offices",
    "tests.support.sharing",
    "tests.support.guarded",
    "tests.support.killing",
)
