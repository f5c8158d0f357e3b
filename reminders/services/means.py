"""Tells what the machine lacks from what is wrong with a letter: no template is broken because no file can be opened.

Invariant: what stands in no relation to the machine is passed over.
"""

import errno

from reminders.errors import CannotDo

_LACKING = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO})


class MeansLacking(CannotDo):
    """This machine lacks memory or files for the program, or cannot read its own: what needed them was not sent.

    Look at what takes them, allow the program more (files: `ulimit -n`, or LimitNOFILE of systemd), and check the disk.
    """


def need_means(error: BaseException) -> None:
    """Raise `MeansLacking` where `error` came of what the machine lacks."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError) or (isinstance(cause, OSError) and cause.errno in _LACKING):
            raise MeansLacking from error
        cause = cause.__cause__ or cause.__context__
