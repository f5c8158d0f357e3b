"""Tells what the machine lacks from what is wrong with a letter: no template is broken because no file can be opened.

Invariant: what stands in no relation to the machine is passed over.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from reminders.errors import CannotDo, causes
from reminders.mail.words import NoWords

_SPENT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_LACKING = _SPENT | {errno.EIO}
_NO_THREAD = "can't start new thread"
"""What Python says where the system gives no thread, in an error that has no number (CPython, _threadmodule.c)."""


class MeansLacking(CannotDo):
    """This machine lacks memory, files or threads for the program, or cannot read its own: what needed them waits.

    Look at what takes them, allow the program more (files: `ulimit -n`, or LimitNOFILE of systemd; threads: `ulimit -u`
    or TasksMax), and check the disk.
    """


@contextmanager
def naming_means() -> Iterator[None]:
    """Let what failed here because a file or a socket could not be had fail with `MeansLacking`."""
    try:
        yield
    except (OSError, NoWords) as error:
        cause = error.__cause__ if isinstance(error, NoWords) else error
        if isinstance(cause, OSError) and cause.errno in _SPENT:
            raise MeansLacking from error
        raise


def need_means(error: BaseException) -> None:
    """Raise `MeansLacking` where `error` came of what the machine lacks."""
    if any(_lacks(cause) for cause in causes(error)):
        raise MeansLacking from error


def _lacks(cause: BaseException) -> bool:
    if isinstance(cause, OSError):
        return cause.errno in _LACKING
    return isinstance(cause, MemoryError) or (type(cause) is RuntimeError and str(cause) == _NO_THREAD)
