"""Every error the product raises on purpose: the class is a noun, its docstring is the sentence a person reads.

The docstring is a format string over the facts given as keyword arguments. It says what is wrong and what to do, and
never holds a name, an address, a token or a secret. A face maps the family (`BadInput`, `CannotDo`,
`DatabaseNotReady`) to an exit code or a status, once.
"""

from collections.abc import Iterator


class RemindersError(Exception):
    """The product could not do what was asked."""

    def __init__(self, **facts: object) -> None:
        """Keep `facts` as attributes and fill them into the class's docstring."""
        self.facts = facts
        super().__init__(" ".join((type(self).__doc__ or "").split()).format(**facts))


class BadInput(RemindersError):
    """What was given cannot be used: {problem}."""


class CannotDo(RemindersError):
    """It could not be done: {problem}."""


class DatabaseNotReady(RemindersError):
    """The database is not ready: {problem}."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, what it came of, what that came of, and so on."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
